using System.Net;
using System.Net.Http.Headers;
using GrpcShm.Client;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>No handler begins, and no trailers are shown, before their block has come in full.</summary>
public sealed class WholeBlockTests
{
    [Theory]
    [InlineData(20)]
    [InlineData(1500)]
    public async Task Headers_InPiecesWithPauses_StartTheHandlerWithAllOfThem(int pieceSize)
    {
        var seen = new TaskCompletionSource<(string Path, int Headers, string Last)>();
        await using var host = await DirectHost.StartAsync(context =>
        {
            seen.SetResult(
                (context.Request.Path, context.Request.Headers.Count, context.Request.Headers["x-last"].ToString()));
            return Task.CompletedTask;
        });
        using var client = await RawCalls.ConnectAsync(host);
        var pieces = RawFrames.Fields(
            RawFrames.Request("/admin.Service/Call", ("x-long", new string('a', 6000)), ("x-last", "here")))
            .Chunk(pieceSize)
            .ToArray();
        foreach (var piece in pieces.SkipLast(1))
        {
            // The server has taken each piece before the next one is sent. If a piece started a handler, it would now.
            await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers | FrameFlags.Continues, piece));
        }

        await VerifyTakenAsync(client, 2);
        Assert.Empty(host.Seen);
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers | FrameFlags.End, pieces[^1]));

        Assert.Equal(("/admin.Service/Call", 5, "here"), await seen.Task.InTime());
        Assert.Null(await client.EndOfAsync(1));
    }

    [Fact]
    public async Task Headers_OfTheMostThatABlockMayHaveAndRaisedLimits_StartTheHandlerWithAllOfThem()
    {
        await using var host = await DirectHost.StartAsync(
            context =>
            {
                context.Response.StatusCode = context.Request.Headers["x-long"].ToString().Length == 60_000 ? 200 : 400;
                return Task.CompletedTask;
            },
            kestrel => kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024,
            transport => transport.RingSize = 256 * 1024);
        using var invoker = Connect(host);
        for (var i = 0; i < 20; i++)
        {
            using var response = await invoker.SendAsync(
                Call("/a.B/C", new string('x', 60_000)), CancellationToken.None).InTime();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task Headers_LargerThanAFrame_AreSeenByTheGateInEachOfManyCalls()
    {
        await using var host = await DirectHost.StartAsync(context =>
        {
            var isForAdmins = context.Request.Path.StartsWithSegments("/admin.Service", StringComparison.Ordinal);
            context.Response.StatusCode = isForAdmins
                && context.Request.Headers["x-long"].ToString().Length == 6000
                    ? StatusCodes.Status403Forbidden
                    : StatusCodes.Status200OK;
            return Task.CompletedTask;
        });
        using var invoker = Connect(host);
        for (var i = 0; i < 300; i++)
        {
            using var denied = await invoker.SendAsync(
                Call("/admin.Service/Call", new string('x', 6000)), CancellationToken.None).InTime();
            Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        }
    }

    [Fact]
    public async Task Trailers_InPiecesWithPauses_AreThereAtOnceWhenTheBodyHasEnded()
    {
        var ended = new TaskCompletionSource<(bool Before, int Trailers, string Last)>();
        await using var host = await DirectHost.StartAsync(async context =>
        {
            var trailers = context.Features.GetRequiredFeature<IHttpRequestTrailersFeature>();
            var before = trailers.Available;
            await context.Request.Body.CopyToAsync(Stream.Null);
            ended.SetResult((before, trailers.Trailers.Count, trailers.Trailers["x-last"].ToString()));
        });
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(
            RawFrames.Message(1, FrameFlags.Headers, RawFrames.Fields(RawFrames.Request("/a.B/C")), data: 10));
        await TimeLimit.UntilAsync(() => host.Seen.Count == 1, () => "The handler does not start.");
        var pieces = RawFrames.Fields(("x-long", new string('a', 3000)), ("x-last", "here")).Chunk(1000).ToArray();
        foreach (var piece in pieces.SkipLast(1))
        {
            await client.PutAsync(RawFrames.Message(1, FrameFlags.Trailers | FrameFlags.Continues, trailers: piece));
        }

        await VerifyTakenAsync(client, 2);
        Assert.False(ended.Task.IsCompleted);
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Trailers | FrameFlags.End, trailers: pieces[^1]));

        Assert.Equal((false, 2, "here"), await ended.Task.InTime());
    }

    [Fact]
    public async Task Body_ThatEndedWithoutTrailers_SaysThatThereAreNone()
    {
        var ended = new TaskCompletionSource<(bool Available, int Count, bool CanHaveBody)>();
        await using var host = await DirectHost.StartAsync(context =>
        {
            var trailers = context.Features.GetRequiredFeature<IHttpRequestTrailersFeature>();
            var body = context.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>();
            ended.SetResult((trailers.Available, trailers.Trailers.Count, body.CanHaveBody));
            return Task.CompletedTask;
        });
        using var client = await RawCalls.ConnectAsync(host);
        await client.VerifyServedAsync(1);
        Assert.Equal((true, 0, false), await ended.Task.InTime());
    }

    /// <summary>Shows that all frames were handled: the last one is answered, and they are handled in order.</summary>
    private static async Task VerifyTakenAsync(RawCalls client, uint call)
    {
        await client.PutAsync(
            RawFrames.Message(call, FrameFlags.Headers | FrameFlags.End, RawFrames.Fields((":method", "GET"))));
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(call));
    }

    private static HttpMessageInvoker Connect(DirectHost host) =>
        new(SharedMemoryChannel.CreateHandler(
            host.Name,
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = host.Directory, Mode = SharedMemoryMode.Direct, ConnectTimeout = TimeLimit.Value,
            }));

    private static HttpRequestMessage Call(string path, string header)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri("http://localhost" + path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add("x-long", header);
        return request;
    }
}
