using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>A feature that only modes with HTTP/2 have: HTTP/2's own pings, which a server can see.</summary>
public abstract class Http2Conformance(IServerFixture fixture) : TransportConformance(fixture)
{
    [Fact]
    public async Task KeepAlive_PingsOfTheServer_AreAnswered()
    {
        await using var server = await Fixture.StartServerAsync(
            "--watch-pings", "--keep-alive-ping-delay", "00:00:01", "--keep-alive-ping-timeout", "00:00:50");
        using var channel = server.CreateChannel();

        await AssertPingsAsync(server, channel, acknowledgements: true);
    }

    [Fact]
    public async Task KeepAlive_PingsOfTheClient_ReachTheServer()
    {
        await using var server = await Fixture.StartServerAsync("--watch-pings");
        using var channel = server.CreateChannel(new()
        {
            ConfigureHandler = handler =>
            {
                handler.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
                handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(50);
                handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
            },
        });

        await AssertPingsAsync(server, channel, acknowledgements: false);
    }

    // A call that waits keeps its connection open, and sends nothing that could be taken for a ping.
    private static async Task AssertPingsAsync(ServerHandle server, TestChannel channel, bool acknowledgements)
    {
        var client = new TestService.TestServiceClient(channel);
        using var waiting = client.WaitAsync(
            new WaitRequest { Gate = "end of the test", SendHeadersFirst = true }, Call());
        await waiting.ResponseHeadersAsync.InTime();
        var connection = await client.DescribeAsync(new Empty(), Call()).InTime();

        // Clients also send pings of their own while data flows, so the pings that came before do not count.
        var request =
            new AwaitPingsRequest { ConnectionId = connection.ConnectionId, Acknowledgements = acknowledgements };
        request.Count = (await server.Control.AwaitPingsAsync(request, Call()).InTime()).Count + 2;
        await server.Control.AwaitPingsAsync(request, Call()).InTime();

        Assert.False(waiting.ResponseAsync.IsCompleted);
        await server.OpenGateAsync("end of the test");
        await waiting.InTime();
    }
}
