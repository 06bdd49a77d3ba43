using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>What becomes of a call that its client has let wait for too long.</summary>
public sealed class RequestTimeLimitsTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;
    private RequestTimeLimits _limits = null!;

    private IHttpMinRequestBodyDataRateFeature Feature => _limits;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync(static kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(111, TimeSpan.FromSeconds(5));
            kestrel.Limits.MinResponseDataRate = new MinDataRate(222, TimeSpan.FromSeconds(5));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(33);
        });
        _limits = new RequestTimeLimits(_under.Call);
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public void MinDataRate_SetToNone_TakesTheLimitAwayUntilReused()
    {
        Assert.True(_limits.IsInputTimed);

        Feature.MinDataRate = null;
        Assert.False(_limits.IsInputTimed);

        _limits.Reuse();
        Assert.True(_limits.IsInputTimed);
    }

    [Fact]
    public void MinDataRate_OtherThanNone_IsNotSupportedAsOverHttp2()
    {
        Assert.Throws<NotSupportedException>(() => Feature.MinDataRate);
        Assert.Throws<NotSupportedException>(
            () => Feature.MinDataRate = new MinDataRate(1, TimeSpan.FromSeconds(5)));
        Assert.True(_limits.IsInputTimed);
    }

    [Theory]
    [InlineData(Overdue.Data, "111 bytes per second (MinRequestBodyDataRate)")]
    [InlineData(Overdue.Credit, "222 bytes per second (MinResponseDataRate)")]
    internal async Task End_DataOrCredit_EndsTheCallAndSaysWhy(Overdue overdue, string reason)
    {
        var peer = await _under.StartAsync();
        var read = _under.Call.CallStream.Input.ReadAsync(CancellationToken.None).InTime();

        _limits.End(overdue, _under.Call.CallStream.Id);

        Assert.True(_under.Call.Lifetime.IsAborted);
        Assert.Equal(CallError.Internal, (await peer.Failed.InTime()).Error);
        var line = await _under.Log.WaitForAsync("RequestOverdue", reason);
        Assert.Contains(_under.Call.FormatIdentifier(), line.Text, StringComparison.Ordinal);
        var failure = await Assert.ThrowsAsync<IOException>(() => read);
        Assert.Contains(reason, failure.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task End_Block_OnlyLogs()
    {
        _limits.End(Overdue.Block, _under.Call.CallStream.Id);

        await _under.Log.WaitForAsync("RequestOverdue", "00:00:33 (RequestHeadersTimeout)");
        Assert.False(_under.Call.Lifetime.IsAborted);
    }

    [Theory]
    [InlineData(Overdue.Block)]
    [InlineData(Overdue.Data)]
    [InlineData(Overdue.Credit)]
    internal void End_ItCarriesAnotherCallByNow_DoesNothing(Overdue overdue)
    {
        _limits.End(overdue, _under.Call.CallStream.Id + 1);

        VerifyNothingWasDone();
        Assert.True(_under.Call.TryUse());
    }

    [Theory]
    [InlineData(Overdue.Block)]
    [InlineData(Overdue.Data)]
    internal void End_NobodyUsesTheCallAnyMore_DoesNothing(Overdue overdue)
    {
        var id = _under.Call.CallStream.Id;
        _under.EndUse();

        _limits.End(overdue, id);

        VerifyNothingWasDone();
    }

    private void VerifyNothingWasDone()
    {
        Assert.False(_under.Call.Lifetime.IsAborted);
        Assert.DoesNotContain(_under.Log.Lines, static line => line.Name == "RequestOverdue");
    }
}
