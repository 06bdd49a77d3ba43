using System.Runtime.InteropServices;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Testing;

/// <summary>A client that makes a correct handshake, and may then write anything into the shared memory.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly LinuxControlSocket _socket;
    private readonly ControlChannel _channel;
    private readonly MappedMemory _memory;
    private readonly List<SafeHandle> _handles;
    private readonly Doorbell _server;

    private readonly int _ringSize;

    private RawClient(LinuxControlSocket socket, ControlChannel channel, ControlMessage answer, int ringSize)
    {
        _ringSize = ringSize;
        _socket = socket;
        _channel = channel;
        _handles = answer.Attachments;
        _memory = TransportPlatform.Current.Open(
            _handles[0], SegmentLayout.TotalSize(ringSize, ringSize));
        _server = TransportPlatform.Current.OpenDoorbell(_handles[1]);
    }

    public SafeHandle Socket => (SafeHandle)_socket.Source;

    /// <summary>The memory, as the server has handed it over.</summary>
    public SafeFileDescriptor Memory => (SafeFileDescriptor)_handles[0];

    public unsafe Span<byte> Bytes => new(_memory.Pointer, (int)_memory.Length);

    private unsafe RingControl* ToServer => (RingControl*)(_memory.Pointer + SegmentLayout.ClientToServerControl);

    private unsafe RingControl* ToClient => (RingControl*)(_memory.Pointer + SegmentLayout.ServerToClientControl);

    public static async Task<RawClient> ConnectAsync(
        string path,
        ConnectionModes modes = ConnectionModes.Bytes,
        ConnectionFeatures features = ConnectionFeatures.None,
        int ringSize = RingSizes.Smallest)
    {
        var socket = LinuxControlSocket.Connect(path, out _)!;
        var channel = new ControlChannel(socket, ProcessReactors.Next());
        channel.Send(new ClientHello(1, 1, modes, (uint)ringSize, (uint)ringSize, (uint)features).Write());
        var answer = await channel.ReceiveAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Equal(ControlMessageType.ServerHello, answer.Type);
        var client = new RawClient(socket, channel, answer, ringSize);
        channel.Send(ControlMessage.Write(ControlMessageType.Ready, []));
        return client;
    }

    public void Send(ReadOnlySpan<byte> bytes) => _channel.Send(bytes);

    public Task<ControlMessage> ReceiveAsync() => _channel.ReceiveAsync(TestContext.Current.CancellationToken).InTime();

    /// <summary>Writes bytes by the rules of the protocol.</summary>
    public unsafe void Publish(int count)
    {
        var control = ToServer;
        for (var i = 0; i < count; i++)
        {
            _memory.Pointer[SegmentLayout.ClientToServerData + ((control->Tail + i) % _ringSize)] = Pattern.At(
                control->Tail + i);
        }

        control->Tail += count;
    }

    /// <summary>Whether the server has published anything.</summary>
    public unsafe bool HasReceived => Volatile.Read(ref ToClient->Tail) > 0;

    /// <summary>Whether the server has taken all that was published.</summary>
    public unsafe bool IsTaken => Volatile.Read(ref ToServer->Head) == ToServer->Tail;

    /// <summary>
    /// Publishes bytes at the start of a cache line, as a frame is. The server has to have taken all before.
    /// </summary>
    public unsafe void PublishFrame(ReadOnlySpan<byte> frame)
    {
        var control = ToServer;
        var offset = (int)(control->Tail % _ringSize);
        var size = (frame.Length + 63) / 64 * 64;
        if (offset + size > _ringSize)
        {
            var gap = Bytes.Slice((int)SegmentLayout.ClientToServerData + offset, _ringSize - offset);
            gap.Clear();
            MemoryMarshal.Write(gap, gap.Length);
            gap[4] = 1;
            size += gap.Length;
            offset = 0;
        }

        frame.CopyTo(Bytes.Slice((int)SegmentLayout.ClientToServerData + offset, frame.Length));
        Volatile.Write(ref control->Tail, control->Tail + size);
        Ring();
    }

    /// <summary>Takes all frames that the server has sent, and ignores their contents.</summary>
    public List<FrameHeader> TakeFrames()
    {
        var frames = new List<FrameHeader>();
        while (TryTakeFrame(out var header, out _))
        {
            frames.Add(header);
        }

        return frames;
    }

    /// <summary>Takes the next bytes that the server has published as a frame, and gives their room back.</summary>
    /// <returns>Whether there was one.</returns>
    public unsafe bool TryTakeFrame(out FrameHeader header, out byte[] content)
    {
        var control = ToClient;
        while (Volatile.Read(ref control->Tail) != control->Head)
        {
            var at = (int)SegmentLayout.ServerToClientData(_ringSize) + (int)(control->Head % _ringSize);
            header = MemoryMarshal.Read<FrameHeader>(Bytes[at..]);
            content = Bytes.Slice(at + FrameHeader.Size, (int)header.Length - FrameHeader.Size).ToArray();
            Volatile.Write(ref control->Head, control->Head + header.Stride);
            Ring();
            if (header.Type != FrameType.Gap)
            {
                return true;
            }
        }

        (header, content) = (default, []);
        return false;
    }

    public unsafe void SetTail(long value) => ToServer->Tail = value;

    public unsafe void SetProducerState(uint value) => ToServer->ProducerState = value;

    public unsafe void SetHead(long value) => ToClient->Head = value;

    public unsafe void SetConsumerState(uint value) => ToClient->ConsumerState = value;

    public void Ring() => _server.Ring();

    /// <summary>Closes without a message, as a killed process does.</summary>
    public void Dispose()
    {
        _channel.Dispose();
        _memory.Dispose();
        _handles.ForEach(h => h.Dispose());
    }
}
