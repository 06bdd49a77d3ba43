using System.Runtime.InteropServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>A client that has shaken hands properly and then does with the shared memory what it likes.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly LinuxControlSocket _socket;
    private readonly ControlChannel _channel;
    private readonly MappedMemory _memory;
    private readonly List<SafeHandle> _handles;
    private readonly Doorbell _server;

    private RawClient(LinuxControlSocket socket, ControlChannel channel, ControlMessage answer)
    {
        _socket = socket;
        _channel = channel;
        _handles = answer.Attachments;
        _memory = TransportPlatform.Current.Open(
            _handles[0], SegmentLayout.TotalSize(RingSizes.Smallest, RingSizes.Smallest));
        _server = TransportPlatform.Current.OpenDoorbell(_handles[1]);
    }

    public SafeHandle Socket => _socket.Handle;

    /// <summary>The memory, as the server has handed it over.</summary>
    public SafeFileDescriptor Memory => (SafeFileDescriptor)_handles[0];

    public unsafe Span<byte> Bytes => new(_memory.Pointer, (int)_memory.Length);

    private unsafe RingControl* ToServer => (RingControl*)(_memory.Pointer + SegmentLayout.ClientToServerControl);

    private unsafe RingControl* ToClient => (RingControl*)(_memory.Pointer + SegmentLayout.ServerToClientControl);

    public static async Task<RawClient> ConnectAsync(string path)
    {
        var socket = LinuxControlSocket.Connect(path)!;
        var channel = new ControlChannel(socket, ReactorPool.Next());
        channel.Send(new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write());
        var answer = await channel.ReceiveAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Equal(ControlMessageType.ServerHello, answer.Type);
        var client = new RawClient(socket, channel, answer);
        channel.Send(ControlMessage.Write(ControlMessageType.Ready, []));
        return client;
    }

    public void Send(ReadOnlySpan<byte> bytes) => _channel.Send(bytes);

    public Task<ControlMessage> ReceiveAsync() => _channel.ReceiveAsync(TestContext.Current.CancellationToken).InTime();

    /// <summary>Writes bytes as the protocol wants it.</summary>
    public unsafe void Publish(int count)
    {
        var control = ToServer;
        for (var i = 0; i < count; i++)
        {
            _memory.Pointer[SegmentLayout.ClientToServerData + ((control->Tail + i) % RingSizes.Smallest)] = Pattern.At(control->Tail + i);
        }

        control->Tail += count;
    }

    public unsafe void SetTail(long value) => ToServer->Tail = value;

    public unsafe void SetProducerState(uint value) => ToServer->ProducerState = value;

    public unsafe void SetHead(long value) => ToClient->Head = value;

    public unsafe void SetConsumerState(uint value) => ToClient->ConsumerState = value;

    public void Ring() => _server.Ring();

    /// <summary>Goes without a word, as a killed process does.</summary>
    public void Dispose()
    {
        _channel.Dispose();
        _memory.Dispose();
        _handles.ForEach(h => h.Dispose());
    }
}
