using System.IO.Hashing;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.TestHost.Services;

/// <summary>
/// The parts of a web application that are not gRPC: bodies of every size and kind, events, uploads, upgrades, sockets
/// and a hub.
/// </summary>
internal static class PlainPages
{
    /// <summary>
    /// The name of the protocol that <c>/plain/upgrade</c> upgrades to: each byte comes back, one higher.
    /// </summary>
    private const string UpgradeProtocol = "next-byte";

    // The sizes of the parts of a body: below, at and beyond the sizes of all blocks and rings on the way.
    private static readonly int[] s_pieces = [1, 2, 13, 250, 4_095, 4_096, 16_384, 65_536, 70_000, 300_000];

    public static void Map(WebApplication app)
    {
        app.MapGet("/plain/body/{size:int}", SendBodyAsync);
        app.MapGet("/plain/json/{count:int}", (int count) => Enumerable.Range(100_000, count));
        app.MapGet("/plain/file/{size:int}", SendFile);
        app.MapGet(
            "/plain/events/{count:int}",
            (int count, string gate, GateRegistry gates, CancellationToken cancellationToken) =>
                TypedResults.ServerSentEvents(CreateEventsAsync(count, gate, gates, cancellationToken)));
        app.MapPost("/plain/hash", (Delegate)HashAsync);
        app.MapPost(
            "/plain/echo",
            (HttpContext context) => context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted));
        app.MapGet("/plain/upgrade", UpgradeAsync);
        app.Map("/plain/socket", EchoAsync);
        app.MapHub<PlainHub>("/plain/hub");
    }

    /// <summary>Sends the body of a seed, by a stream or by a pipe, with its length or chunked.</summary>
    private static async Task SendBodyAsync(HttpContext context, int size, ulong seed, bool chunked, bool pipe)
    {
        var body = TestBody.Create(size, seed).Memory;
        if (!chunked)
        {
            context.Response.ContentLength = size;
        }

        for (var i = 0; !body.IsEmpty; i++)
        {
            var piece = Math.Min(body.Length, s_pieces[i % s_pieces.Length]);
            if (pipe)
            {
                // This fills all memory that it gets, as writers of text do, so it ends where the ring or a block ends.
                var memory = context.Response.BodyWriter.GetMemory(piece);
                piece = Math.Min(body.Length, memory.Length);
                body.Span[..piece].CopyTo(memory.Span);
                context.Response.BodyWriter.Advance(piece);
                if (i % 3 == 0)
                {
                    await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
                }
            }
            else
            {
                await context.Response.Body.WriteAsync(body[..piece], context.RequestAborted);
            }

            body = body[piece..];
        }

        if (pipe)
        {
            // With a known length, Kestrel itself flushes only the parts that were not written by the pipe.
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
    }

    private static IResult SendFile(int size, ulong seed) =>
        Results.Stream(new MemoryStream(TestBody.Create(size, seed).ToByteArray()), enableRangeProcessing: true);

    private static async IAsyncEnumerable<SseItem<string>> CreateEventsAsync(
        int count, string gate, GateRegistry gates, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
        {
            yield return new SseItem<string>($"event {i}") { EventId = $"{i}" };
            await gates.WaitAsync($"{gate} {i}", cancellationToken);
        }
    }

    /// <summary>Returns the received size, the hash, and the declared length.</summary>
    private static async Task<string> HashAsync(HttpContext context)
    {
        var hash = new XxHash128();
        var buffer = new byte[50_000];
        long size = 0;
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is var count and > 0)
        {
            hash.Append(buffer.AsSpan(0, count));
            size += count;
        }

        var declared = context.Request.ContentLength?.ToString() ?? "none";
        return $"{size} {Convert.ToHexString(hash.GetCurrentHash())} {declared}";
    }

    private static async Task UpgradeAsync(HttpContext context)
    {
        context.Response.Headers.Upgrade = UpgradeProtocol;
        await using var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        var buffer = new byte[20_000];
        while (await stream.ReadAsync(buffer, context.RequestAborted) is var count and > 0)
        {
            for (var i = 0; i < count; i++)
            {
                buffer[i]++;
            }

            await stream.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[30_000];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted)
            is { MessageType: not WebSocketMessageType.Close } received)
        {
            await socket.SendAsync(
                buffer.AsMemory(0, received.Count),
                received.MessageType,
                received.EndOfMessage,
                context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
    }
}
