using Grpc.Core;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>The hub says why it ends a session before it does.</summary>
public sealed class ClosingTests : HubTest
{
    // A client that is to hear why has time enough for it, and ends its side then.
    protected override void Configure(EventBusOptions options) => options.SessionClosingTime = TimeLimit.Value;

    [Fact]
    public async Task Session_WhenTheHubStops_SaysWhyBeforeItEnds()
    {
        await using var session = await OpenMachineAsync("m");

        var stopping = Server.StopAsync();

        var closing = await session.Closing.InTime();
        Assert.Equal((int)StatusCode.Unavailable, closing.StatusCode);
        Assert.Contains("stopping", closing.Message, StringComparison.Ordinal);
        await stopping.InTime();
    }

    [Fact]
    public async Task Session_WhenTheHubStopsAndTheClientDoesNotEndItsSide_HearsWhyAndTheHubWaitsOnlyAMoment()
    {
        Server.Services.GetRequiredService<HubCore>().Options.SessionClosingTime = TimeSpan.FromSeconds(5);
        using var call = Client.Session();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.NotNull(call.ResponseStream.Current.Opened);

        // Its request stream stays open all the while.
        var stopping = Server.StopAsync();

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal((int)StatusCode.Unavailable, call.ResponseStream.Current.Closing.StatusCode);
        var ended = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        await stopping.InTime();
    }

    [Fact]
    public async Task Session_BegunWhileTheHubStops_IsRefusedBeforeItOpens()
    {
        // Told to stop, and still listening.
        Server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        using var call = Client.Session();

        var refused = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Contains("stopping", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_WhenItIsReplaced_SaysSo()
    {
        await using var old = OpenSession();
        await old.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = "p" } }).InTime();
        await using var successor = OpenSession();

        await successor.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = "p" } }).InTime();

        Assert.Equal((int)StatusCode.Aborted, (await old.Closing.InTime()).StatusCode);
    }

    [Fact]
    public async Task Session_WhenItBreaksTheRules_SaysWhich()
    {
        await using var session = OpenSession();
        var command = new SessionCommand { Number = 5, Register = new Registration { MachineId = "x" } };

        await session.SendRawAsync(new SessionRequest { Commands = { command, command } }).InTime();

        var closing = await session.Closing.InTime();
        Assert.Equal((int)StatusCode.InvalidArgument, closing.StatusCode);
        Assert.Contains("count up", closing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_WhenTheClientEndsIt_EndsWithoutAWord()
    {
        var session = await OpenMachineAsync("m");

        await session.DisposeAsync().InTime();

        Assert.Null(await session.Ended.InTime());
        Assert.True(session.Closing.IsFaulted);
    }

    [Fact]
    public async Task Session_OutcomesBeforeTheEnd_StillCome()
    {
        await using var session = OpenSession();
        var unknown = new SessionCommand { Number = 1, Send = NewEvent("nobody") };
        var repeated = new SessionCommand { Number = 1, Send = NewEvent("nobody") };

        await session.SendRawAsync(new SessionRequest { Commands = { unknown, repeated } }).InTime();
        await session.Closing.InTime();

        Assert.Equal((int)StatusCode.NotFound, Assert.Single(session.Failures).StatusCode);
    }
}
