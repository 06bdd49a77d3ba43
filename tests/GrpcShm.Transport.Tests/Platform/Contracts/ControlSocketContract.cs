using System.Runtime.InteropServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of a <see cref="ControlSocket"/>.</summary>
public abstract class ControlSocketContract : PlatformContract
{
    private protected ControlSocketContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Peer_SameProcess_IsKnownToBothSides()
    {
        var (client, server) = Meet();
        Assert.Equal(Environment.ProcessId, server.Peer.ProcessId);
        Assert.Equal(Environment.ProcessId, client.Peer.ProcessId);
        Assert.Equal(Platform.CurrentUser, server.Peer.User);
        Assert.Equal(Platform.CurrentUser, client.Peer.User);
        Assert.Equal(Platform.CurrentUser.IsPrivileged, server.Peer.User.IsPrivileged);
    }

    [Fact]
    public void Receive_NothingWasSent_SaysSo()
    {
        var (client, server) = Meet();
        Assert.True(server.Receive(new byte[8], []) < 0);
        Assert.True(client.Receive(new byte[8], []) < 0);
    }

    [Fact]
    public void Receive_AfterSend_GivesTheBytesInOrder()
    {
        var (client, server) = Meet();
        client.Send("Hello, "u8, []);
        client.Send("world."u8, []);
        Assert.Equal("Hello, world."u8, Receive(server, 13));
        server.Send("Bye."u8, []);
        Assert.Equal("Bye."u8, Receive(client, 4));
    }

    [Fact]
    public void Receive_BufferOfOneByte_GivesAllOfTheMessage()
    {
        var (client, server) = Meet();
        client.Send("shared"u8, []);
        var received = new List<byte>();
        while (received.Count < 6)
        {
            received.AddRange(Receive(server, 1));
        }

        Assert.Equal("shared"u8.ToArray(), received);
    }

    [Fact]
    public void Receive_LongestMessage_ComesWhole()
    {
        var (client, server) = Meet();
        var message = new byte[ControlMessage.MaxSize];
        Random.Shared.NextBytes(message);
        client.Send(message, []);
        Assert.Equal(message, Receive(server, message.Length));
    }

    [Fact]
    public void Receive_HandlesWereSent_ComeWithTheMessageAndWork()
    {
        var (client, server) = Meet();
        var allocation = Platform.Allocate(4096);
        using var mapping = allocation.Mapping;
        using var bell = Platform.CreateDoorbell();
        server.Send("take"u8, [allocation.Grant, bell.Grant]);
        allocation.Grant.Dispose();

        var handles = new List<SafeHandle>();
        Assert.Equal("take"u8, Receive(client, 4, handles));
        Assert.Equal(2, handles.Count);
        using var grant = handles[0];
        using var peersMapping = Platform.Open(grant, 4096);
        Write(peersMapping, 4095, 42);
        Assert.Equal(42, Read(mapping, 4095));

        using var peersBell = Platform.OpenDoorbell(handles[1]);
        using var poller = Platform.CreatePoller();
        poller.Add(bell.Source, 3);
        AwaitSilence(poller);
        peersBell.Ring();
        AwaitEvent(poller, 3);
        poller.Remove(bell.Source);
    }

    [Fact]
    public void Receive_TwoMessagesWithHandles_EachGetsItsOwn()
    {
        var (client, server) = Meet();
        using var first = Platform.CreateDoorbell();
        using var second = Platform.CreateDoorbell();
        server.Send("1"u8, [first.Grant]);
        server.Send("2"u8, [second.Grant]);
        foreach (var bell in new[] { first, second })
        {
            var handles = new List<SafeHandle>();
            Receive(client, 1, handles);
            using var rung = Platform.OpenDoorbell(Assert.Single(handles));
            using var poller = Platform.CreatePoller();
            poller.Add(bell.Source, 3);
            AwaitSilence(poller);
            rung.Ring();
            AwaitEvent(poller, 3);
            poller.Remove(bell.Source);
        }
    }

    [Fact]
    public void Receive_PeerClosesAfterAMessage_GivesTheMessageAndThenTheEnd()
    {
        var (client, server) = Meet();
        client.Send("last"u8, []);
        client.Dispose();
        Assert.Equal("last"u8, Receive(server, 4));
        ReceiveEnd(server);
        ReceiveEnd(server);
    }

    [Fact]
    public async Task Receive_PeerClosesMeanwhile_TheWaitEnds()
    {
        var (client, server) = Meet();
        await TimeLimit.OnThreads(() => ReceiveEnd(server), client.Dispose);
    }

    [Fact]
    public void Shutdown_BothSides_SeeTheEnd()
    {
        var (client, server) = Meet();
        client.Shutdown();
        ReceiveEnd(server);
        ReceiveEnd(client);
    }

    [Fact]
    public void Send_PeerIsGone_IsTheEnd()
    {
        var (client, server) = Meet();
        client.Dispose();
        ReceiveEnd(server);
        Assert.Throws<EndOfStreamException>(() =>
        {
            // The system may still take the first message, but not the others.
            for (var i = 0; i < 100; i++)
            {
                server.Send("late"u8, []);
            }
        });
    }

    [Fact]
    public async Task Send_PeerDoesNotRead_FailsAndDoesNotBlock()
    {
        var (client, _) = Meet();
        await TimeLimit.OnThreads(() => Assert.ThrowsAny<IOException>(() =>
        {
            var message = new byte[ControlMessage.MaxSize];
            for (var i = 0; i < 1_000_000; i++)
            {
                client.Send(message, []);
            }
        }));
    }

    [Fact]
    public async Task Receive_ManyMessagesMeanwhile_NoneIsMissed()
    {
        const int Count = 500;
        var (client, server) = Meet();
        await TimeLimit.OnThreads(
            () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    client.Send([(byte)i], []);
                    Assert.Equal([(byte)~i], Receive(client, 1));
                }
            },
            () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    Assert.Equal([(byte)i], Receive(server, 1));
                    server.Send([(byte)~i], []);
                }
            });
    }

    [Fact]
    public async Task Receive_OnePollerForAll_EachMessageIsReported()
    {
        // As with a reactor: the socket is added once, and after "nothing yet" only the poller says when to look again.
        const int Count = 500;
        var (client, server) = Meet();
        await TimeLimit.OnThreads(() => Exchange(server, Count, isFirst: false), () =>
        {
            client.Send([0], []);
            Exchange(client, Count, isFirst: true);
        });
    }

    /// <summary>Answers each byte with a byte; the side that began does not answer the last byte.</summary>
    private void Exchange(ControlSocket socket, int count, bool isFirst)
    {
        var left = count;
        var buffer = new byte[16];
        Await(socket.Source, () =>
        {
            int received;
            while (left > 0 && (received = socket.Receive(buffer, [])) >= 0)
            {
                Assert.NotEqual(0, received);
                left -= received;
                if (left > 0 || !isFirst)
                {
                    socket.Send(buffer.AsSpan(0, received), []);
                }
            }

            return left == 0;
        });
    }

    private static unsafe void Write(MappedMemory memory, int offset, byte value) => memory.Pointer[offset] = value;

    private static unsafe byte Read(MappedMemory memory, int offset) => memory.Pointer[offset];
}
