using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// All parts of a make together, used by a reactor, both sides' handshakes, and a connection.
/// </summary>
public abstract class ConnectionContract : StackContract
{
    private protected ConnectionContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public async Task Connection_BytesBothWays_ArriveInOrder()
    {
        const int Count = 200_000;
        var (client, server) = await ConnectAsync();
        await using var clientStream = new RingStream(client, FileAccess.ReadWrite);
        await using var serverStream = new RingStream(server, FileAccess.ReadWrite);
        var sent = new byte[Count];
        Random.Shared.NextBytes(sent);
        var token = TestContext.Current.CancellationToken;

        // More data than the rings hold, so that both sides wait, and are woken, many times.
        async Task EchoAsync()
        {
            var buffer = new byte[1000];
            for (var left = Count; left > 0;)
            {
                var count = await serverStream.ReadAsync(buffer, token);
                Assert.NotEqual(0, count);
                await serverStream.WriteAsync(buffer.AsMemory(0, count), token);
                left -= count;
            }
        }

        var received = new byte[Count];
        var echo = EchoAsync();
        var write = clientStream.WriteAsync(sent, token).AsTask();
        await clientStream.ReadExactlyAsync(received, token).InTime();
        await Task.WhenAll(echo, write).InTime();
        Assert.Equal(sent, received);
    }

    [Fact]
    public async Task Connection_OneSideEnds_TheOtherIsTold()
    {
        var (client, server) = await ConnectAsync();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = client.Closed.Register(ended.SetResult);
        server.Dispose();
        await ended.Task.InTime();
        client.Dispose();
    }

    [Fact]
    public async Task Handshake_ClientGoesAwayMeanwhile_ServerIsToldAndGivesEverythingBack()
    {
        var (clientSocket, serverSocket) = Meet();
        using var channel = Open(serverSocket);
        var accepting = AcceptAsync(channel);
        clientSocket.Dispose();
        await Assert.ThrowsAsync<EndOfStreamException>(() => accepting.InTime());
    }

    private async Task<(SharedMemoryConnection Client, SharedMemoryConnection Server)> ConnectAsync()
    {
        var (clientSocket, serverSocket) = Meet();
        var accepting = AcceptAsync(Open(serverSocket));
        var connecting = ConnectAsync(Open(clientSocket));
        return (Own(Create(await connecting.InTime())), Own(Create(await accepting.InTime())));
    }
}
