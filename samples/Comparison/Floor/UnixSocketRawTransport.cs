using System.Net.Sockets;

namespace GrpcShm.Samples.Comparison.Floor;

internal sealed class UnixSocketRawTransport : IRawTransport
{
    public string Name => "uds";

    public string Description => "Unix domain socket, blocking calls";

    public IRawChannel Accept(string address, Action listening)
    {
        using var listener = Create();
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(1);
        listening();
        return new Channel(listener.Accept());
    }

    public IRawChannel Connect(string address)
    {
        var socket = Create();
        socket.Connect(new UnixDomainSocketEndPoint(address));
        return new Channel(socket);
    }

    private static Socket Create() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private sealed class Channel(Socket socket) : IRawChannel
    {
        public void Write(ReadOnlySpan<byte> source)
        {
            while (!source.IsEmpty)
            {
                source = source[socket.Send(source)..];
            }
        }

        public int Read(Span<byte> destination) => socket.Receive(destination);

        public void Dispose() => socket.Dispose();
    }
}
