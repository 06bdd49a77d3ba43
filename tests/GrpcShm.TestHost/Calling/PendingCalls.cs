using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>Calls of every kind that wait, each in the way that its kind waits, until somebody dies.</summary>
public static class PendingCalls
{
    /// <summary>The names of the calls that <see cref="Start"/> makes; a call's id is the prefix and its name.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["unary", "unary after headers", "client streaming", "server streaming", "server streaming after a message", "bidirectional"];

    /// <summary>Starts one call of every kind. The tasks end when the calls do.</summary>
    public static IReadOnlyDictionary<string, Task> Start(
        Conformance.ConformanceClient client, string callIdPrefix, CancellationToken cancellationToken)
    {
        var produce = new ProduceRequest { HoldOpen = true };
        var produceOne = new ProduceRequest { Pieces = { new Piece { Size = 10 } }, HoldOpen = true };
        return new Dictionary<string, Task>
        {
            [Names[0]] = client.WaitAsync(new WaitRequest { Gate = "never" }, Options(Names[0])).ResponseAsync,
            [Names[1]] = client
                .WaitAsync(new WaitRequest { Gate = "never", SendHeadersFirst = true }, Options(Names[1])).ResponseAsync,
            [Names[2]] = CollectAsync(client.Collect(Options(Names[2]))),
            [Names[3]] = ReadAsync(client.Produce(produce, Options(Names[3])).ResponseStream),
            [Names[4]] = ReadAsync(client.Produce(produceOne, Options(Names[4])).ResponseStream),
            [Names[5]] = ConverseAsync(client.Converse(Options(Names[5]))),
        };

        CallOptions Options(string name) => new(
            new Metadata { { MetadataKeys.CallId, callIdPrefix + name } }, cancellationToken: cancellationToken);
    }

    private static async Task CollectAsync(AsyncClientStreamingCall<CollectRequest, CollectResponse> call)
    {
        await call.RequestStream.WriteAsync(new CollectRequest());
        await call.ResponseAsync;
    }

    private static async Task ConverseAsync(AsyncDuplexStreamingCall<ConverseRequest, ConverseResponse> call)
    {
        await call.RequestStream.WriteAsync(new ConverseRequest { Pieces = { new Piece { Size = 10 } } });
        await ReadAsync(call.ResponseStream);
    }

    private static async Task ReadAsync<T>(IAsyncStreamReader<T> stream)
    {
        while (await stream.MoveNext(CancellationToken.None))
        {
            // Only the end of the stream is of interest.
        }
    }
}
