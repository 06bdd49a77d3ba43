using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>A client that turns on the server after a proper handshake.</summary>
[Collection(AloneCollection.Name)]
public sealed class HostilePeerTests : HostileTest
{
    [Theory]
    [InlineData("rubbish")]
    [InlineData("hello")]
    [InlineData("two farewells")]
    [InlineData("a farewell without a code")]
    [InlineData("a farewell with a handle")]
    [InlineData("five handles")]
    public async Task ControlSocket_NotTheOneFarewell_IsCutOff(string what)
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        using var server = await EndPoint.AcceptAsync();
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var farewell = ControlMessage.Write(ControlMessageType.Close, (ushort)CloseCode.Graceful, "bye");
        switch (what)
        {
            case "rubbish":
                client.Send(Pattern.Take(0, 500));
                break;
            case "hello":
                client.Send(new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write());
                break;
            case "two farewells":
                client.Send(farewell);
                client.Send(farewell);
                break;
            case "a farewell without a code":
                client.Send(ControlMessage.Write(ControlMessageType.Close, []));
                break;
            case "a farewell with a handle":
                Descriptors.Send(client.Socket, farewell, bell.Grant);
                break;
            default:
                Descriptors.Send(client.Socket, farewell, [.. Enumerable.Repeat(bell.Grant, 5)]);
                break;
        }

        await CutOffAsync(client, server);
    }

    [Theory]
    [InlineData(4097)]
    [InlineData(-1)]
    [InlineData(99)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task Tail_OutOfRange_IsCutOff(long tail)
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        client.Publish(100);
        client.Ring();
        await server.ReadPatternAsync(0, 50);
        var read = server.ReadAsync(new byte[100], None).AsTask();
        Assert.Equal(50, await read.InTime());

        read = server.ReadAsync(new byte[100], None).AsTask();
        client.SetTail(tail == 4097 ? 100 + 4097 : tail);
        client.Ring();

        await Assert.ThrowsAsync<SharedMemoryProtocolException>(() => read.InTime());
        await EndPoint.ServerLog.WaitForAsync("ProtocolViolation", "tail cursor is out of range");
        await FarewellAsync(client);
    }

    [Theory]
    [InlineData(4097)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task Head_OutOfRange_IsCutOff(long head)
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        var write = server.WriteAsync(new byte[10_000], None).AsTask();

        client.SetHead(head);
        client.Ring();

        await Assert.ThrowsAsync<SharedMemoryProtocolException>(() => write.InTime());
        await EndPoint.ServerLog.WaitForAsync("ProtocolViolation", "head cursor is out of range");
        await FarewellAsync(client);
    }

    [Fact]
    public async Task Memory_HolesArePunchedIntoIt_OnlyReadsAsZerosAndIsCutOff()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        client.Publish(100);
        client.Ring();
        await server.ReadPatternAsync(0, 100);
        var read = server.ReadAsync(new byte[1], None).AsTask();

        Descriptors.PunchHole(client.Memory, client.Bytes.Length);
        client.Ring();

        // The tail is 0 again, and cursors do not go back.
        await Assert.ThrowsAsync<SharedMemoryProtocolException>(() => read.InTime());
        Assert.False(client.Bytes[SegmentLayout.DataStart..].ContainsAnyExcept((byte)0));
        await FarewellAsync(client);
    }

    [Fact]
    public async Task States_Unknown_AreCutOff()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        var read = server.ReadAsync(new byte[1], None).AsTask();
        client.SetProducerState(3);
        client.Ring();
        await Assert.ThrowsAsync<SharedMemoryProtocolException>(() => read.InTime());

        using var other = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var otherServer = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        other.SetConsumerState(uint.MaxValue);
        await Assert.ThrowsAsync<SharedMemoryProtocolException>(
            () => otherServer.WriteAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task PipeFlush_HeadOutOfRange_CompletesAndCutsOff()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        using var server = await EndPoint.AcceptAsync();
        var writer = new RingPipeWriter(server);
        writer.GetMemory(10_000);
        writer.Advance(10_000);
        var flush = writer.FlushAsync(None).AsTask();
        client.SetHead(-1);
        client.Ring();
        Assert.True((await flush.InTime()).IsCompleted);
        await writer.CompleteAsync();
        await CutOffAsync(client, server);
    }

    [Fact]
    public async Task PipeComplete_HeadOutOfRange_DoesNotThrowAndLetsGoOfTheMemory()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        var server = await EndPoint.AcceptAsync();
        var writer = new RingPipeWriter(server);
        writer.GetMemory(10_000);
        writer.Advance(10_000);
        client.SetHead(-1);

        await writer.CompleteAsync();
        server.Dispose();

        Assert.Throws<ObjectDisposedException>(() => server.AttachSend(null!));
    }

    [Fact]
    public async Task PipeRead_TailOutOfRange_FailsAndCutsOff()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        using var server = await EndPoint.AcceptAsync();
        var reader = new RingPipeReader(server, 1 << 20);
        var read = reader.ReadAsync(None).AsTask();
        client.SetTail(-1);
        client.Ring();
        await Assert.ThrowsAsync<SharedMemoryProtocolException>(() => read.InTime());
        Assert.ThrowsAny<IOException>(() => { reader.TryRead(out _); });
        await reader.CompleteAsync();
        await CutOffAsync(client, server);
    }

    [Fact]
    public async Task Peer_DiesWithoutAWord_WhatItPublishedIsReadAndThenTheReason()
    {
        var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        client.Publish(4000);
        client.Dispose();
        await server.ReadPatternAsync(0, 4000);
        var gone = await Assert.ThrowsAnyAsync<IOException>(() => server.ReadAsync(new byte[1], None).InTime());
        Assert.Contains($"peer process {Environment.ProcessId} ended", gone.Message, StringComparison.Ordinal);
        await server.DisposeAsync();
        await EndPoint.ServerLog.WaitForAsync("Disconnected", "(PeerGone, by peer)");
    }

    [Fact]
    public async Task Doorbell_RungWithoutEnd_HoldsUpNobodyElse()
    {
        using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
        await using var server = new RingStream(await EndPoint.AcceptAsync(), FileAccess.ReadWrite);
        var read = server.ReadAsync(new byte[1], None).AsTask();
        var over = false;
        var ringing = TimeLimit.OnThreads(() =>
        {
            while (!Volatile.Read(ref over))
            {
                client.Ring();
            }
        });
        var (other, otherServer) = await EndPoint.ConnectPairAsync();
        await using (var one = new RingStream(other, FileAccess.ReadWrite))
        await using (var two = new RingStream(otherServer, FileAccess.ReadWrite))
        {
            await StreamBytes.EchoAsync(one, two);
        }

        Volatile.Write(ref over, true);
        await ringing;
        Assert.False(read.IsCompleted);
    }

    [Fact]
    [SuppressMessage("Security", "CA5394", Justification = "A test's rubbish, reproducible by its seed.")]
    public async Task Segment_RubbishEverywhereAtAnyTime_EndsOnlyThatConnection()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        for (var round = 0; round < 30; round++)
        {
            var random = new Random(seed + round);
            using var client = await RawClient.ConnectAsync(EndPoint.SocketPath);
            var connection = await EndPoint.AcceptAsync();
            connection.RunInline = round % 2 == 0;
            await using var server = new RingStream(connection, FileAccess.ReadWrite);
            var running = Task.WhenAll(UntilCutOffAsync(server, writes: true), UntilCutOffAsync(server, writes: false));
            await TimeLimit.OnThreads(() =>
            {
                while (!running.IsCompleted)
                {
                    var start = random.Next(SegmentLayout.DataStart);
                    var bytes = client.Bytes.Slice(
                        start, Math.Min(random.Next(1, 32), SegmentLayout.DataStart - start));
                    random.NextBytes(bytes);
                    client.Ring();
                }
            });
            await running.InTime();
        }
    }

    private static async Task UntilCutOffAsync(RingStream stream, bool writes)
    {
        var bytes = new byte[3000];
        try
        {
            while (writes || await stream.ReadAsync(bytes, None) > 0)
            {
                if (writes)
                {
                    await stream.WriteAsync(bytes, None);
                }
            }
        }
        catch (IOException)
        {
            // Random bytes that happen to have a meaning may end the stream in any way, but not with another kind of
            // exception.
        }
    }

    private static async Task FarewellAsync(RawClient client)
    {
        using var farewell = await client.ReceiveAsync();
        Assert.Equal(ControlMessageType.Close, farewell.Type);
        Assert.Equal((ushort)CloseCode.Protocol, farewell.ReadCodeAndText().Code);
        await Assert.ThrowsAsync<EndOfStreamException>(client.ReceiveAsync);
    }

    private async Task CutOffAsync(RawClient client, SharedMemoryConnection server)
    {
        await FarewellAsync(client);
        await EndPoint.ServerLog.WaitForAsync("ProtocolViolation", server.Id);
        Assert.Equal(CloseCode.Protocol, server.Cause?.Code);
        Assert.True(server.IsClosed);
    }
}
