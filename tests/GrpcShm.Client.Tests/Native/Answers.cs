using System.Buffers;
using System.IO.Compression;
using GrpcShm.Client.Tests.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Native;

/// <summary>All kinds of answers that a server may give, in order and not.</summary>
internal static class Answers
{
    private static readonly byte[] First = Responses.Message([1, 2, 3]);
    private static readonly byte[] Second = Responses.Message([4]);

    /// <summary>The answers, by what is special of them.</summary>
    public static IReadOnlyDictionary<string, Func<TestCall, Task>> All { get; } =
        new Dictionary<string, Func<TestCall, Task>>
        {
            ["echo"] = Responses.EchoAsync,
            ["one message"] = call => SendAsync(call, First, ("grpc-status", "0")),
            ["no message"] = call => SendAsync(call, [], ("grpc-status", "0")),
            ["two messages"] = call => SendAsync(call, [.. First, .. Second], ("grpc-status", "0")),
            ["an empty message"] = call => SendAsync(call, Responses.Message([]), ("grpc-status", "0")),
            ["a large message"] = call => SendAsync(call, Responses.Message(new byte[3_000_000]), ("grpc-status", "0")),
            ["a message that is too large"] =
                call => SendAsync(call, Responses.Message(new byte[5_000_000]), ("grpc-status", "0")),
            ["a status without text"] = call => SendAsync(call, [], ("grpc-status", "5")),
            ["a message, then a status"] =
                call => SendAsync(call, First, ("grpc-status", "9"), ("grpc-message", "Not 100%25 %E2%82%AC")),
            ["a status of no known number"] = call => SendAsync(call, First, ("grpc-status", "77")),
            ["a status that is no number"] = call => SendAsync(call, First, ("grpc-status", "ok")),
            ["no status"] = call => SendAsync(call, First, ("x-other", "1")),
            ["no trailers"] = call => SendAsync(call, First),
            ["trailers of its own"] = call => SendAsync(
                call, First, ("grpc-status", "0"), ("x-text", "a b"), ("x-more", ""), ("x-data-bin", "AQID/w")),
            ["details of its status"] = call => SendAsync(
                call, [], ("grpc-status", "3"), ("grpc-message", "Bad."), ("grpc-status-details-bin", "CAMSBEJhZC4=")),
            ["binary trailers that are none"] =
                call => SendAsync(call, First, ("grpc-status", "0"), ("x-data-bin", "???")),
            ["binary headers that are none"] =
                call => HeadersAsync(call, First, [.. Grpc, ("x-data-bin", "A*")], ("grpc-status", "0")),
            ["trailers with a name that gRPC does not allow"] =
                call => SendAsync(call, First, ("grpc-status", "0"), ("x-$", "1")),
            ["headers of its own"] = call => HeadersAsync(
                call,
                First,
                [.. Grpc, ("x-text", "a"), ("x-data-bin", "AQID"), ("grpc-accept-encoding", "gzip"), ("date", "now")],
                ("grpc-status", "0")),
            ["headers alone"] =
                call => HeadersAsync(call, [], [.. Grpc, ("grpc-status", "7"), ("grpc-message", "No."), ("x-a", "b")]),
            ["headers alone, all right"] = call => HeadersAsync(call, [], [.. Grpc, ("grpc-status", "0")]),
            ["headers and a message, all right"] =
                call => HeadersAsync(call, First, [.. Grpc, ("grpc-status", "0")], ("grpc-status", "4")),
            ["an HTTP status"] = call => HeadersAsync(call, [], [(":status", "404")]),
            ["another HTTP status"] =
                call => HeadersAsync(call, First, [(":status", "503"), ("content-type", "text/html")]),
            ["an HTTP status with one of gRPC"] = call => HeadersAsync(
                call, [], [(":status", "500"), ("content-type", "application/grpc"), ("grpc-status", "8")]),
            ["no content type"] = call => HeadersAsync(call, First, [(":status", "200")], ("grpc-status", "0")),
            ["another content type"] = call => HeadersAsync(
                call, First, [(":status", "200"), ("content-type", "text/plain")], ("grpc-status", "0")),
            ["a content type of gRPC's with a suffix"] = call => HeadersAsync(
                call, First, [(":status", "200"), ("content-type", "application/grpc+proto")], ("grpc-status", "0")),
            ["half of a prefix"] = call => SendAsync(call, [0, 0, 0], ("grpc-status", "0")),
            ["half of a message"] = call => SendAsync(call, First.AsMemory(0, 6).ToArray(), ("grpc-status", "0")),
            ["half of a large message"] = call => SendAsync(
                call, Responses.Message(new byte[300_000]).AsMemory(0, 200_000).ToArray(), ("grpc-status", "0")),
            ["a flag of no meaning"] = call => SendAsync(call, [7, 0, 0, 0, 0], ("grpc-status", "0")),
            ["a length beyond all"] = call => SendAsync(call, [0, 0xff, 0xff, 0xff, 0xff, 1], ("grpc-status", "0")),
            ["a compressed message"] =
                call => HeadersAsync(call, Compress(100), [.. Grpc, ("grpc-encoding", "gzip")], ("grpc-status", "0")),
            ["a compressed message that is too large"] = call => HeadersAsync(
                call, Compress(5_000_000), [.. Grpc, ("grpc-encoding", "gzip")], ("grpc-status", "0")),
            ["a compressed message without encoding"] = call => SendAsync(call, Compress(9), ("grpc-status", "0")),
            ["a compressed message of unknown encoding"] =
                call => HeadersAsync(call, Compress(9), [.. Grpc, ("grpc-encoding", "br")], ("grpc-status", "0")),
            ["headers that a response cannot have"] =
                call => HeadersAsync(call, First, [.. Grpc, (":path", "/")], ("grpc-status", "0")),
            ["a status of HTTP that is none"] = call => HeadersAsync(call, First, [(":status", "100")]),
            ["a reset: refused by the application"] = call => ResetAsync(call, CallError.Cancelled),
            ["a reset: internal error"] = call => ResetAsync(call, CallError.Internal),
            ["a reset: too much"] = call => ResetAsync(call, CallError.TooMuch),
        };

    private static (string Name, string Value)[] Grpc =>
        [(":status", "200"), ("content-type", "application/grpc")];

    private static Task SendAsync(TestCall call, byte[] body, params (string Name, string Value)[] trailers) =>
        HeadersAsync(call, body, Grpc, trailers);

    private static async Task HeadersAsync(
        TestCall call,
        byte[] body,
        (string Name, string Value)[] headers,
        params (string Name, string Value)[] trailers)
    {
        await call.ReadWholeAsync();
        call.SetHeaders(headers);

        // A client that refuses the answer does not take all of it.
        for (var sent = 0; sent < body.Length; sent += 60_000)
        {
            call.Output.Write(body.AsSpan(sent, Math.Min(60_000, body.Length - sent)));
            if ((await call.Output.FlushAsync(CancellationToken.None).InTime()).IsCompleted)
            {
                return;
            }
        }

        if (trailers.Length > 0)
        {
            call.SetTrailers(trailers);
        }

        call.EndOutput();
    }

    private static async Task ResetAsync(TestCall call, CallError error)
    {
        await call.ReadWholeAsync();
        call.Reset(error);
    }

    private static byte[] Compress(int size)
    {
        var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new byte[size]);
        }

        var message = Responses.Message(output.ToArray());
        message[0] = 1;
        return message;
    }
}
