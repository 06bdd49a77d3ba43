using Google.Protobuf;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>
/// Calls of each kind with small and large messages, several at once, so that rings get empty and full. Each call ends
/// by itself and checks its answers.
/// </summary>
public static class Exchanges
{
    private const int Parallel = 3;
    private const int SmallSize = 100;
    private const int LargeSize = 200 * 1024;
    private const int SmallCount = 8;

    /// <summary>
    /// The kinds of calls that <see cref="RunAsync"/> accepts. <see cref="PendingCalls"/> has each of them, too.
    /// </summary>
    public static IReadOnlyList<string> Kinds { get; } =
        ["unary", "client streaming", "server streaming", "bidirectional"];

    /// <summary>Makes calls of a kind.</summary>
    /// <exception cref="RpcException">One of the calls failed; this is the first failure.</exception>
    /// <exception cref="InvalidDataException">The server answered with something else.</exception>
    public static async Task RunAsync(
        TestService.TestServiceClient client, string kind, CancellationToken cancellationToken)
    {
        var options = new CallOptions(cancellationToken: cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => kind switch
        {
            "unary" => CallAsync(client, options),
            "client streaming" => CollectAsync(client, options),
            "server streaming" => ProduceAsync(client, options),
            "bidirectional" => ConverseAsync(client, options),
            _ => throw new ArgumentException($"There is no kind of call '{kind}'.", nameof(kind)),
        }));
    }

    private static IEnumerable<int> Sizes() =>
        [.. Enumerable.Repeat(SmallSize, SmallCount), LargeSize, LargeSize, SmallSize];

    private static async Task CallAsync(TestService.TestServiceClient client, CallOptions options)
    {
        foreach (var size in Sizes())
        {
            var body = TestBody.Create(size, seed: (ulong)size);
            var request = new UnaryRequest { Body = body, Response = new Piece { Size = size, Seed = (ulong)size } };
            Check((await client.UnaryAsync(request, options)).Body, body);
        }
    }

    private static async Task CollectAsync(TestService.TestServiceClient client, CallOptions options)
    {
        using var call = client.Collect(options);
        await WriteAllAsync(
            call.RequestStream,
            Sizes().Select(size => new CollectRequest { Body = TestBody.Create(size, seed: 1) }),
            options.CancellationToken);
        var response = await call;
        if (response.TotalSize != Sizes().Sum())
        {
            throw new InvalidDataException($"The server got {response.TotalSize} bytes instead of {Sizes().Sum()}.");
        }
    }

    private static async Task ProduceAsync(TestService.TestServiceClient client, CallOptions options)
    {
        var request = new ProduceRequest();
        request.Pieces.AddRange(Sizes().Select(size => new Piece { Size = size, Seed = (ulong)size }));
        using var call = client.Produce(request, options);
        foreach (var size in Sizes())
        {
            if (!await call.ResponseStream.MoveNext(options.CancellationToken))
            {
                throw new InvalidDataException("The stream ended early.");
            }

            Check(call.ResponseStream.Current.Body, TestBody.Create(size, seed: (ulong)size));
        }

        if (await call.ResponseStream.MoveNext(options.CancellationToken))
        {
            throw new InvalidDataException("The stream did not end.");
        }
    }

    private static async Task ConverseAsync(TestService.TestServiceClient client, CallOptions options)
    {
        using var call = client.Converse(options);
        foreach (var size in Sizes())
        {
            var body = TestBody.Create(size, seed: (ulong)size);
            var request =
                new ConverseRequest { Body = body, Pieces = { new Piece { Size = size, Seed = (ulong)size } } };
            await WriteAllAsync(call.RequestStream, [request], options.CancellationToken, complete: false);
            if (!await call.ResponseStream.MoveNext(options.CancellationToken))
            {
                throw new InvalidDataException("The stream ended early.");
            }

            Check(call.ResponseStream.Current.Body, body);
        }

        await WriteAllAsync(call.RequestStream, [], options.CancellationToken);
        if (await call.ResponseStream.MoveNext(options.CancellationToken))
        {
            throw new InvalidDataException("The stream did not end.");
        }
    }

    private static async Task WriteAllAsync<T>(
        IClientStreamWriter<T> stream,
        IEnumerable<T> messages,
        CancellationToken cancellationToken,
        bool complete = true)
    {
        try
        {
            foreach (var message in messages)
            {
                await stream.WriteAsync(message, cancellationToken);
            }

            if (complete)
            {
                await stream.CompleteAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // If the connection breaks during a write, the write fails with an exception of HTTP; the call itself has
            // the status.
        }
    }

    private static void Check(ByteString body, ByteString expected)
    {
        if (!body.Equals(expected))
        {
            throw new InvalidDataException(
                $"The server answered with {body.Length} bytes that differ from the {expected.Length} expected ones.");
        }
    }
}
