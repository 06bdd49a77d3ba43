using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The two directions of a call, and the calls beside it, do not depend on each other.</summary>
public abstract partial class TransportConformance
{
    [Fact]
    public async Task HalfClose_ClientFirst_ServerGoesOnToItsEnd()
    {
        var gate = NewId("half-close");
        var pieces = Enumerable.Range(0, 20).Select(_ => NewPiece(20 * KiB)).ToList();
        using var call = Client.Converse(Call(new Metadata { { MetadataKeys.Gate, gate } }));
        await call.RequestStream.WriteAsync(new ConverseRequest { Pieces = { pieces } }, TestToken).InTime();
        await call.RequestStream.CompleteAsync().InTime();

        // The server begins only now, when the client has already closed its side of the call.
        await Server.OpenGateAsync(gate);
        var responses = await ReadAllAsync(call.ResponseStream);

        Assert.Equal(pieces.Select(TestBody.Create), responses.Select(response => response.Body));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task HalfClose_ServerFirst_CallEndsWithOkAndConnectionLives()
    {
        var before = await Client.DescribeAsync(new Empty(), Call()).InTime();
        using var call = Client.Converse(Call());
        var request = new ConverseRequest { Pieces = { NewPiece(10) }, HangUp = true };
        await call.RequestStream.WriteAsync(request, TestToken).InTime();

        // The client has never closed its side.
        Assert.Single(await ReadAllAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => call.RequestStream.WriteAsync(request, TestToken).InTime());
        var after = await Client.DescribeAsync(new Empty(), Call()).InTime();
        Assert.Equal(before.ConnectionId, after.ConnectionId);
    }

    [Fact]
    public async Task HalfClose_ServerFirstAgainstFullWindows_CallsEndWithOkAndHarmNobody()
    {
        // If a write may outlive its call and break the connection, the test has one call only, with a connection of
        // its own.
        var ends = Fixture.Mode.EndsWritesWithTheirCalls;
        var calls = Enumerable.Range(0, ends ? 100 : 1);
        using var channel = Server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);

        // A request is larger than any window, and the server answers after its first message.
        var request = new ConverseRequest
        {
            Body = TestBody.Create(NewPiece(MiB)),
            Pieces = { NewPiece(10) },
            HangUp = true,
        };

        // This limits the calls at a time, since the server keeps calls that it has reset for some seconds.
        var options = new ParallelOptions { MaxDegreeOfParallelism = 20, CancellationToken = TestToken };
        await Parallel.ForEachAsync(calls, options, async (_, _) =>
        {
            using var call = client.Converse(Call());
            var writing = WriteUntilRefusedAsync(call.RequestStream);
            Assert.NotEmpty(await ReadAllAsync(call.ResponseStream));
            Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
            if (ends)
            {
                await writing.InTime();
                await AssertStillServesAsync(channel);
            }
        });

        async Task WriteUntilRefusedAsync(IClientStreamWriter<ConverseRequest> stream)
        {
            try
            {
                while (true)
                {
                    await stream.WriteAsync(request, TestToken);
                }
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException)
            {
                // A write after the end of its call may fail in any way.
            }
        }
    }

    [Fact]
    public async Task SlowReader_OnTheClient_DoesNotHoldUpOtherCalls()
    {
        var request = new ProduceRequest { Pieces = { NewPiece(64 * KiB) }, Forever = true };
        using var slow = Client.Produce(request, Call());
        Assert.True(await slow.ResponseStream.MoveNext(TestToken).InTime());

        // This is more than the buffers on the way can hold after the stream that is not read.
        await ExchangeAsync(Client, messages: 64, size: 64 * KiB);
    }

    [Fact]
    public async Task SlowReader_OnTheServer_DoesNotHoldUpOtherCalls()
    {
        const int Messages = 64;
        const int ConnectionWindow = 4 * MiB;

        // Kestrel returns the connection's credit when half of its window is used. With the default windows (1 MiB, and
        // 768 KiB for a call) a single unread call can hold more than half of it, and the whole connection stops.
        await using var server = await Fixture.StartServerAsync("--connection-window-size", $"{ConnectionWindow}");
        using var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        var gate = NewId("slow server");
        var request = new CollectRequest { Body = TestBody.Create(NewPiece(64 * KiB)) };
        using var slow = client.Collect(Call(new Metadata { { MetadataKeys.Gate, gate } }));
        var writing = WriteAsync();

        await ExchangeAsync(client, messages: 64, size: 64 * KiB);

        Assert.False(writing.IsCompleted, "A server that reads nothing has taken 4 MiB.");
        await server.OpenGateAsync(gate);
        await writing.InTime();
        Assert.Equal(Messages, (await slow.InTime()).Messages);

        async Task WriteAsync()
        {
            for (var i = 0; i < Messages; i++)
            {
                await slow.RequestStream.WriteAsync(request, TestToken);
            }

            await slow.RequestStream.CompleteAsync();
        }
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public async Task Concurrency_ManyCallsOnOneConnection_AreInsideTheServerAtOnce(int count)
    {
        await using var server = await Fixture.StartServerAsync("--max-streams-per-connection", $"{count + 1}");
        using var channel = server.CreateChannel(new()
        {
            ConfigureHandler = handler => handler.EnableMultipleHttp2Connections = false,
        });
        var client = new TestService.TestServiceClient(channel);
        var meeting = new MeetRequest { Group = NewId("meeting"), Count = count };

        // No call is answered before all have arrived.
        var calls = Enumerable.Range(0, count).Select(_ => client.MeetAsync(meeting, Call()).ResponseAsync).ToList();
        var meet = Task.WhenAll(calls);
        while (!meet.IsCompleted)
        {
            // Only a standstill is limited: how long all of them take depends on the machine.
            var before = await CountStepsAsync();
            await TimeLimit.UntilAsync(async () => meet.IsCompleted || await CountStepsAsync() > before);
        }

        var responses = await meet;
        Assert.Single(responses.Select(response => response.ConnectionId).Distinct());

        async Task<long> CountStepsAsync()
        {
            var stats = await server.Control.StatsAsync(new Empty(), Call()).ResponseAsync;
            return stats.CallsStarted + calls.Count(call => call.IsCompleted);
        }
    }

    [Fact]
    public async Task Concurrency_1000StreamsWithMultipleConnections_AreOpenAtOnce()
    {
        const int Streams = 1000;
        const int StreamsPerConnection = 100;
        await using var server = await Fixture.StartServerAsync(
            "--max-streams-per-connection", $"{StreamsPerConnection}");
        using var channel = server.CreateChannel(new()
        {
            ConfigureHandler = handler => handler.EnableMultipleHttp2Connections = true,
        });
        var client = new TestService.TestServiceClient(channel);

        var calls = Enumerable.Range(0, Streams).Select(_ => client.Converse(Call())).ToList();
        await Task.WhenAll(calls.Select(ExchangeOneAsync)).InTime();
        var stats = await server.Control.StatsAsync(new Empty(), Call()).InTime();
        await Task.WhenAll(calls.Select(ExchangeOneAsync)).InTime();
        await Task.WhenAll(calls.Select(call => call.RequestStream.CompleteAsync())).InTime();
        var ends = await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext(TestToken))).InTime();

        Assert.Equal(Streams, stats.CallsInFlight);

        // The client that asks for the numbers has a connection, too.
        Assert.InRange(stats.ConnectionsOpen, (Streams / StreamsPerConnection) + 1, Streams);
        Assert.DoesNotContain(true, ends);
        calls.ForEach(call => call.Dispose());

        static async Task ExchangeOneAsync(AsyncDuplexStreamingCall<ConverseRequest, ConverseResponse> call)
        {
            await call.RequestStream.WriteAsync(
                new ConverseRequest { Pieces = { new Piece { Size = 100 } } }, TestToken);
            Assert.True(await call.ResponseStream.MoveNext(TestToken));
            Assert.Equal(100, call.ResponseStream.Current.Body.Length);
        }
    }

    private static async Task ExchangeAsync(TestService.TestServiceClient client, int messages, int size)
    {
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(size)), Response = NewPiece(size) };
        var hash = TestBody.Hash(request.Body);
        for (var i = 0; i < messages; i++)
        {
            var response = await client.UnaryAsync(request, Call()).InTime();
            Assert.Equal(hash, response.RequestHash);
            Assert.Equal(size, response.Body.Length);
        }
    }
}
