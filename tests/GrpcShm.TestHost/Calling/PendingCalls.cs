using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>Calls of every kind that wait until they are cancelled.</summary>
public static class PendingCalls
{
    /// <summary>The kinds of waiting calls that <see cref="StartAsync"/> accepts.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "unary",
        "unary after headers",
        "client streaming",
        "client streaming against a full window",
        "server streaming",
        "server streaming after a message",
        "server streaming into a full window",
        "bidirectional",
    ];

    /// <summary>
    /// Starts a call, which the server knows as <paramref name="callId"/>. The task ends when the call does.
    /// </summary>
    /// <param name="client">The client that makes the call.</param>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="callId">The call's name.</param>
    /// <param name="resumeReading">Completes when a reader whose window is full may read on, since only a reader that
    /// reads sees the end.</param>
    /// <param name="deadline">The call's deadline.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async Task StartAsync(
        TestService.TestServiceClient client,
        string kind,
        string callId,
        Task resumeReading,
        DateTime? deadline = null,
        CancellationToken cancellationToken = default)
    {
        var options = new CallOptions(new Metadata { { MetadataKeys.CallId, callId } }, deadline, cancellationToken);
        switch (kind)
        {
            case "unary":
                await client.WaitAsync(new WaitRequest { Gate = "never" }, options);
                break;
            case "unary after headers":
                await client.WaitAsync(new WaitRequest { Gate = "never", SendHeadersFirst = true }, options);
                break;
            case "client streaming":
                await CollectAsync(client.Collect(options), messages: 1, size: 10);
                break;
            case "client streaming against a full window":
                options.Headers!.Add(MetadataKeys.Gate, "never");
                await CollectAsync(client.Collect(options), messages: int.MaxValue, size: 64 * 1024);
                break;
            case "server streaming":
                await ReadAsync(client.Produce(new ProduceRequest { HoldOpen = true }, options).ResponseStream);
                break;
            case "server streaming after a message":
                var oneMessage = new ProduceRequest { Pieces = { new Piece { Size = 10 } }, HoldOpen = true };
                await ReadAsync(client.Produce(oneMessage, options).ResponseStream);
                break;
            case "server streaming into a full window":
                var endless = new ProduceRequest { Pieces = { new Piece { Size = 64 * 1024 } }, Forever = true };
                await ReadAfterPauseAsync(client.Produce(endless, options).ResponseStream, resumeReading);
                break;
            case "bidirectional":
                await ConverseAsync(client.Converse(options));
                break;
            default:
                throw new ArgumentException($"No call waits like '{kind}'.", nameof(kind));
        }
    }

    private static async Task CollectAsync(
        AsyncClientStreamingCall<CollectRequest, CollectResponse> call, int messages, int size)
    {
        await WriteAsync(call.RequestStream, new CollectRequest { Body = TestBody.Create(size, seed: 1) }, messages);
        await call;
    }

    private static async Task ConverseAsync(AsyncDuplexStreamingCall<ConverseRequest, ConverseResponse> call)
    {
        await WriteAsync(call.RequestStream, new ConverseRequest { Pieces = { new Piece { Size = 10 } } }, count: 1);
        await ReadAsync(call.ResponseStream);
    }

    private static async Task WriteAsync<T>(IClientStreamWriter<T> stream, T message, int count)
    {
        try
        {
            for (var i = 0; i < count; i++)
            {
                await stream.WriteAsync(message);
            }
        }
        catch (IOException)
        {
            // If the connection breaks during a write, the write fails with an exception of HTTP; the call itself has
            // the status.
        }
    }

    private static async Task ReadAfterPauseAsync(IAsyncStreamReader<ProduceResponse> stream, Task resumeReading)
    {
        await stream.MoveNext(CancellationToken.None);
        await resumeReading;
        await ReadAsync(stream);
    }

    private static async Task ReadAsync<T>(IAsyncStreamReader<T> stream)
    {
        while (await stream.MoveNext(CancellationToken.None))
        {
            // Only the end of the stream is of interest.
        }
    }
}
