using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>How a response starts and ends, in each order of what a handler may do.</summary>
public sealed class ResponseProgressTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;

    private ServerResponse Response => _under.Call.Response;

    private ResponseProgress Progress => Response.Progress;

    private IHeaderDictionary Headers => ((Microsoft.AspNetCore.Http.Features.IHttpResponseFeature)Response).Headers;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public async Task End_NothingWasWritten_IsAnEmptyResponse()
    {
        Assert.Null(Progress.End());
        Assert.Null(Progress.End());

        Assert.True(Progress.HasStarted && Progress.HasEnded && Progress.IsComplete);
        var peer = await _under.PeerAsync();
        Assert.Equal([(":status", "200"), ("content-length", "0")], await peer.HeadersReceived.InTime());
        await peer.EndReceived.InTime();
    }

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    public async Task End_StatusHasNoLength_HasNone(int status)
    {
        Response.StatusCode = status;
        if (status == 204)
        {
            Headers.ContentLength = 0;
        }

        Assert.Null(Progress.End());

        var headers = await (await _under.PeerAsync()).HeadersReceived.InTime();
        Assert.Equal([(":status", $"{status}")], headers);
    }

    [Fact]
    public async Task End_BytesWereAdvanced_HasNoLengthOfItsOwn()
    {
        Response.Writer.GetMemory(3);
        Response.Writer.Advance(3);

        Progress.End();

        Assert.Equal([(":status", "200")], await (await _under.PeerAsync()).HeadersReceived.InTime());
    }

    [Fact]
    public async Task End_HandlerHasFailedBeforeTheStart_IsAnErrorWithoutWhatWasThere()
    {
        Headers["x-own"] = "1";
        Response.Callbacks.AddStarting(static _ => throw new InvalidDataException(), this);
        Response.Writer.GetMemory(3);
        Response.Writer.Advance(3);
        Progress.SetFailure(new InvalidDataException());

        Assert.Null(Progress.End());

        var peer = await _under.PeerAsync();
        Assert.Equal([(":status", "500"), ("content-length", "0")], await peer.HeadersReceived.InTime());
        Assert.Equal(0, await peer.ReadPatternAsync(0));
    }

    [Fact]
    public async Task End_RequestWasBad_HasTheStatusOfThat()
    {
        Progress.SetFailure(new InvalidDataException());
        Progress.SetFailure(new BadHttpRequestException("too large", 413));
        Progress.SetFailure(new InvalidDataException());

        Assert.IsType<BadHttpRequestException>(Progress.Failure);
        Progress.End();

        var headers = await (await _under.PeerAsync()).HeadersReceived.InTime();
        Assert.Equal((":status", "413"), headers[0]);
    }

    [Fact]
    public async Task End_HandlerHasFailedAfterTheStart_ResetsTheCall()
    {
        await Response.Writer.WriteAsync(new byte[1], TestContext.Current.CancellationToken);
        Progress.SetFailure(new InvalidDataException());

        Assert.Null(Progress.End());

        Assert.True(Progress.HasEnded);
        Assert.False(Progress.IsComplete);
        Assert.True(_under.Call.Lifetime.IsAborted);
        Assert.Equal(CallError.Internal, (await (await _under.PeerAsync()).Failed.InTime()).Error);
    }

    [Fact]
    public async Task End_HeadersCannotBeSent_IsAnErrorAndSaysWhy()
    {
        Headers["x-large"] = new string('a', 70_000);

        Assert.NotNull(Progress.End());

        var headers = await (await _under.PeerAsync()).HeadersReceived.InTime();
        Assert.Equal([(":status", "500"), ("content-length", "0")], headers);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(205)]
    public async Task End_StatusCannotHaveTheLength_IsAnErrorAndSaysWhy(int status)
    {
        Response.StatusCode = status;
        Headers.ContentLength = 5;

        Assert.Contains("content-length of 5", Progress.End()!.Message, StringComparison.Ordinal);

        Assert.Equal((":status", "500"), (await (await _under.PeerAsync()).HeadersReceived.InTime())[0]);
    }

    [Fact]
    public void Start_HandlerHasFailed_IsRefusedWithThatFailure()
    {
        var failure = new InvalidDataException();
        Progress.SetFailure(failure);

        Assert.Same(failure, Assert.Throws<ObjectDisposedException>(() => Progress.Start(0)).InnerException);
        Assert.False(Progress.HasStarted);
    }

    [Fact]
    public void Start_Twice_SettlesTheHeadersOnce()
    {
        Headers.ContentLength = 5;

        Progress.Start(3);
        Progress.Start(3);

        Assert.True(Headers.IsReadOnly);
        Progress.CountWritten(2);
        var refused = Assert.Throws<InvalidOperationException>(() => Progress.CountWritten(1));
        Assert.Contains("6 bytes", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FinishAsync_LessWasWrittenThanTheHeadersSay_IsAFailureUnlessNobodyWaits()
    {
        Headers.ContentLength = 5;
        Progress.Start(3);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Progress.FinishAsync());
        _under.Call.Lifetime.Abort(new IOException());
        await Progress.FinishAsync();
    }

    [Fact]
    public async Task FinishAsync_NotModified_MayHaveTheLengthOfWhatIsNotSent()
    {
        Response.StatusCode = StatusCodes.Status304NotModified;
        Headers.ContentLength = 5;

        await Progress.FinishAsync();
    }

    [Fact]
    public async Task FinishAsync_CallbackBeforeTheStartThrows_BecomesTheFailure()
    {
        var failure = new InvalidDataException();
        Response.Callbacks.AddStarting(_ => throw failure, this);

        await Progress.FinishAsync();

        Assert.Same(failure, Progress.Failure);
        await _under.Log.WaitForAsync("ApplicationFailed", "");
    }

    [Fact]
    public async Task CompleteAsync_Early_SendsTheEndOnce()
    {
        var runs = 0;
        Response.Callbacks.AddStarting(
            _ =>
            {
                runs++;
                return Task.CompletedTask;
            },
            this);

        await Progress.CompleteAsync(null);
        await Progress.CompleteAsync(null);

        Assert.Equal(1, runs);
        Assert.True(Progress.IsComplete);
        await (await _under.PeerAsync()).EndReceived.InTime();
    }

    [Fact]
    public async Task CompleteAsync_WithAFailureAfterTheStart_BreaksOff()
    {
        await Response.Writer.WriteAsync(new byte[1], TestContext.Current.CancellationToken);

        await Progress.CompleteAsync(new InvalidDataException());

        Assert.True(_under.Call.Lifetime.IsAborted);
        Assert.Equal(CallError.Internal, (await (await _under.PeerAsync()).Failed.InTime()).Error);
    }

    [Fact]
    public async Task CompleteAsync_LessWasWrittenThanTheHeadersSay_IsRefused()
    {
        Headers.ContentLength = 5;

        await Assert.ThrowsAsync<InvalidOperationException>(() => Progress.CompleteAsync(null));
        Assert.False(Progress.HasEnded);
    }

    [Fact]
    public void SetAborted_BeforeTheStart_IsNotedForLogs()
    {
        Progress.SetAborted();

        Assert.Equal(StatusCodes.Status499ClientClosedRequest, Response.StatusCode);
        Assert.True(_under.Call.Lifetime.IsAborted);
    }

    [Fact]
    public void SetAborted_AfterTheStart_LeavesTheStatusThatWasSent()
    {
        Progress.Start(0);

        Progress.SetAborted();

        Assert.Equal(StatusCodes.Status200OK, Response.StatusCode);
    }

    [Fact]
    public void Reuse_HasEnded_IsAsNew()
    {
        Response.StatusCode = 204;
        Progress.Start(0);
        Assert.Throws<InvalidOperationException>(Progress.ThrowIfBodyForbidden);
        Progress.SetFailure(new InvalidDataException());
        Progress.End();

        Progress.Reuse();

        Assert.Null(Progress.Failure);
        Assert.False(Progress.HasStarted || Progress.HasEnded || Progress.IsComplete);
        Progress.ThrowIfBodyForbidden();
    }
}
