using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>
/// The behaviour that a gRPC client and a gRPC server in two processes may expect of each other, over each transport.
/// Every mode runs the same tests, by a sealed class that adds nothing.
/// </summary>
public abstract partial class TransportConformance(IServerFixture fixture)
{
    private static ulong s_seed = (ulong)Random.Shared.NextInt64();

    private protected IServerFixture Fixture { get; } = fixture;

    private ServerHandle Server => Fixture.Server;

    private TestChannel Channel => Fixture.Channel;

    private TestService.TestServiceClient Client { get; } = new(fixture.Channel);

    private protected static CancellationToken TestToken => TestContext.Current.CancellationToken;

    private protected static CallOptions Call(Metadata? headers = null, DateTime? deadline = null) =>
        new(headers, deadline, TestToken);

    private static string NewId(string what) => $"{what} {Guid.NewGuid():N}";

    private static Metadata Named(string callId) => new() { { MetadataKeys.CallId, callId } };

    private static Piece NewPiece(int size)
    {
        var seed = Interlocked.Increment(ref s_seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"A body of {size} bytes with the seed {seed}.");
        return new Piece { Size = size, Seed = seed };
    }

    private static async Task<List<T>> ReadAllAsync<T>(IAsyncStreamReader<T> stream)
    {
        var messages = new List<T>();
        while (await stream.MoveNext(TestToken).InTime())
        {
            messages.Add(stream.Current);
        }

        return messages;
    }

    private async Task AssertStillServesAsync(TestChannel? channel = null)
    {
        var piece = NewPiece(1000);
        var client = channel is null ? Client : new TestService.TestServiceClient(channel);
        var response = await client.UnaryAsync(new UnaryRequest { Response = piece }, Call()).InTime();
        Assert.Equal(TestBody.Create(piece), response.Body);
    }
}
