using System.IO.Pipelines;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The writer of a response: it settles the response before anything of it can go.</summary>
public sealed class ResponseBodyTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ServerResponse Response => _under.Call.Response;

    private PipeWriter Body => Response.Writer;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public async Task WriteAsync_First_SendsTheHeadersWithIt()
    {
        await Body.WriteAsync(Pattern.Take(0, 10), Token);

        Assert.True(Response.HasStarted);
        var peer = await _under.PeerAsync();
        Assert.Equal([(":status", "200")], await peer.HeadersReceived.InTime());
        await Body.CompleteAsync();
        Assert.Equal(10, await peer.ReadPatternAsync(0));
    }

    [Fact]
    public async Task Advance_NotFlushed_StartsNothing()
    {
        Pattern.Fill(Body.GetSpan(10)[..10], 0);
        Body.Advance(10);

        Assert.False(Response.HasStarted);
        Assert.True(Body.CanGetUnflushedBytes);
        Assert.Equal(10, Body.UnflushedBytes);
        await Body.FlushAsync(Token);

        Assert.True(Response.HasStarted);
        Assert.Equal(0, Body.UnflushedBytes);
        await Body.CompleteAsync();
        Assert.Equal(10, await (await _under.PeerAsync()).ReadPatternAsync(0));
    }

    [Fact]
    public async Task FlushAsync_CallbackBeforeTheStart_MayStillSetHeaders()
    {
        IHttpResponseFeature feature = Response;
        feature.OnStarting(
            _ =>
            {
                feature.Headers["x-late"] = "1";
                return Task.CompletedTask;
            },
            this);

        await Body.FlushAsync(Token);

        var headers = await (await _under.PeerAsync()).HeadersReceived.InTime();
        Assert.Equal([(":status", "200"), ("x-late", "1")], headers);
    }

    [Fact]
    public async Task WriteAsync_CallbackBeforeTheStartRuns_WaitsForIt()
    {
        var mayReturn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ((IHttpResponseFeature)Response).OnStarting(_ => mayReturn.Task, this);

        var write = Body.WriteAsync(new byte[3], Token).AsTask();
        Assert.False(Response.HasStarted);
        Assert.True(Response.IsAwaited);
        mayReturn.SetResult();

        await write.InTime();
        Assert.True(Response.HasStarted);
        Assert.False(Response.IsAwaited);
    }

    [Fact]
    public async Task WriteAsync_HandlerEndsWhileACallbackRuns_DoesNotGoOn()
    {
        var mayReturn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ((IHttpResponseFeature)Response).OnStarting(_ => mayReturn.Task, this);
        var write = Body.WriteAsync(new byte[3], Token).AsTask();

        Response.StopBody();
        mayReturn.SetResult();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => write.InTime());
        Assert.False(Response.HasStarted);
        Assert.False(Response.IsAwaited);
    }

    [Fact]
    public async Task Write_MoreThanTheHeadersSay_IsRefused()
    {
        ((IHttpResponseFeature)Response).Headers.ContentLength = 2;

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Body.WriteAsync(new byte[3], Token));
        Assert.False(Response.HasStarted);
        await Body.WriteAsync(new byte[2], Token);
        Body.GetMemory(1);
        Assert.Throws<InvalidOperationException>(() => Body.Advance(1));
    }

    [Fact]
    public async Task Write_StatusWithoutContent_IsRefused()
    {
        Response.StatusCode = 204;
        await Body.FlushAsync(Token);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await Body.WriteAsync(new byte[1], Token));
        Assert.Contains("204", refused.Message, StringComparison.Ordinal);
        Body.GetMemory(1);
        Assert.Throws<InvalidOperationException>(() => Body.Advance(1));
    }

    [Fact]
    public async Task Write_TokenHasFired_WritesNothing()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await Body.WriteAsync(new byte[1], source.Token));
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await Body.FlushAsync(source.Token));
        Assert.False(Response.HasStarted);
    }

    [Fact]
    public async Task Complete_AnyUseAfterwards_IsRefused()
    {
        Body.Complete();

        Assert.True(Response.Progress.IsComplete);
        Assert.Throws<InvalidOperationException>(() => Body.GetMemory());
        Assert.Throws<InvalidOperationException>(() => Body.GetSpan());
        Assert.Throws<InvalidOperationException>(() => Body.Advance(0));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Body.WriteAsync(new byte[1], Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Body.FlushAsync(Token));
    }

    [Fact]
    public async Task Stop_WhoeverKeptIt_CanDoNothingUntilReused()
    {
        var body = (ResponseBody)Body;
        body.Stop();

        Assert.Throws<ObjectDisposedException>(() => body.GetMemory());
        Assert.Throws<ObjectDisposedException>(() => body.GetSpan());
        Assert.Throws<ObjectDisposedException>(() => body.Advance(0));
        Assert.Throws<ObjectDisposedException>(() => body.Complete());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await body.CompleteAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await body.WriteAsync(new byte[1], Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await body.FlushAsync(Token));

        body.Reuse();
        body.GetMemory();
    }

    [Fact]
    public void Drop_NotFlushed_IsGone()
    {
        Body.GetMemory(10);
        Body.Advance(10);

        ((ResponseBody)Body).Drop();

        Assert.Equal(0, Body.UnflushedBytes);
    }
}
