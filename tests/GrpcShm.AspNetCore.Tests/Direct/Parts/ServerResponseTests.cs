using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>A response as its handler sees it.</summary>
public sealed class ServerResponseTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ServerResponse Response => _under.Call.Response;

    private IHttpResponseFeature Feature => Response;

    private IHttpResponseBodyFeature Body => Response;

    private IHttpResponseTrailersFeature Trailers => Response;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public async Task StartAsync_EachChangeOfTheHead_IsRefusedAfterwards()
    {
        Response.StatusCode = 201;
        Response.ReasonPhrase = "made";
        await Body.StartAsync(Token);
        await Body.StartAsync(Token);

        Assert.True(Feature.HasStarted);
        Assert.Throws<InvalidOperationException>(() => Response.StatusCode = 500);
        Assert.Throws<InvalidOperationException>(() => Response.ReasonPhrase = "other");
        Assert.Throws<InvalidOperationException>(() => Feature.OnStarting(static _ => Task.CompletedTask, this));
        Assert.Throws<InvalidOperationException>(() => Feature.Headers["x-late"] = "1");
        Assert.Equal((201, "made"), (Response.StatusCode, Response.ReasonPhrase));
    }

    [Fact]
    public async Task StartAsync_TokenHasFired_StartsNothing()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => Body.StartAsync(source.Token));
        Assert.False(Feature.HasStarted);
    }

    [Fact]
    public async Task StartAsync_HandlerEndsWhileACallbackRuns_DoesNotGoOn()
    {
        var mayReturn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Feature.OnStarting(_ => mayReturn.Task, this);
        var start = Body.StartAsync(Token);
        Assert.True(Response.IsAwaited);

        Response.StopBody();
        mayReturn.SetResult();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => start.InTime());
        Assert.False(Response.IsAwaited);
    }

    [Fact]
    public async Task CompleteAsync_TrailersWereSet_SendsThemAndTakesNoMore()
    {
        Trailers.Trailers["grpc-status"] = "0";

        await Body.CompleteAsync();

        Assert.Throws<InvalidOperationException>(() => Trailers.Trailers["x-late"] = "1");
        Assert.Equal([("grpc-status", "0")], await (await _under.PeerAsync()).TrailersReceived.InTime());
    }

    [Fact]
    public async Task Reset_ByTheApplication_ReachesTheClientWithItsCode()
    {
        await Response.Writer.WriteAsync(new byte[1], Token);

        ((IHttpResetFeature)Response).Reset((int)CallError.TooMuch);

        Assert.Equal(CallError.TooMuch, (await (await _under.PeerAsync()).Failed.InTime()).Error);
        Assert.True(_under.Call.Lifetime.IsAborted);
    }

    [Fact]
    public async Task SendFileAsync_OfAFile_WritesItsBytes()
    {
        using var directory = new TempDirectory();
        var path = directory.File("content");
        await File.WriteAllBytesAsync(path, Pattern.Take(0, 100), Token);

        await Body.SendFileAsync(path, 10, 50, Token);
        await Body.CompleteAsync();

        Assert.Equal(50, await (await _under.PeerAsync()).ReadPatternAsync(10));
    }

    [Fact]
    public void Replaced_ByTheApplication_IsShownUntilReused()
    {
        var (headers, trailers, stream) = (Feature.Headers, Trailers.Trailers, Body.Stream);
        var own = new HeaderDictionary();
        Feature.Headers = own;
        Trailers.Trailers = own;
#pragma warning disable CS0618 // Middleware still sets it.
        Feature.Body = Stream.Null;
#pragma warning restore CS0618

        Assert.Same(own, Feature.Headers);
        Assert.Same(own, Trailers.Trailers);
        Assert.Same(Stream.Null, Body.Stream);
        Response.Reuse();

        Assert.Same(headers, Feature.Headers);
        Assert.Same(trailers, Trailers.Trailers);

        // The stream of the request before has been stopped, or may be.
        Assert.NotSame(Stream.Null, Body.Stream);
        Assert.NotSame(stream, Body.Stream);
    }

    [Fact]
    public async Task StopBody_HandlerKeptTheStream_WritesNoMore()
    {
        var kept = Body.Stream;

        Response.StopBody();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await kept.WriteAsync(new byte[1], Token));
    }
}
