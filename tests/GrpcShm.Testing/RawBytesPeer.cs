using System.Net.Sockets;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Testing;

/// <summary>A client that has only a socket, and sends any bytes.</summary>
internal sealed class RawBytesPeer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
    {
        ReceiveTimeout = (int)TimeLimit.Value.TotalMilliseconds,
        SendTimeout = (int)TimeLimit.Value.TotalMilliseconds,
    };

    public RawBytesPeer(string path) => _socket.Connect(new UnixDomainSocketEndPoint(path));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _socket.Send(bytes);
        }
        catch (SocketException exception)
            when (exception.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
            // Cut off already.
        }
    }

    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Cut off already.
        }
    }

    /// <summary>Receives one message, or <see langword="null"/> at the end.</summary>
    public ControlMessage? Receive()
    {
        var buffer = new byte[ControlMessage.MaxSize];
        var filled = 0;
        while (true)
        {
            var length = ControlMessage.ReadLength(buffer.AsSpan(0, filled));
            if (length > 0 && length == filled)
            {
                return ControlMessage.Read(buffer.AsSpan(0, length), []);
            }

            // It reads exactly one message: the bytes after it stay in the socket.
            int received;
            try
            {
                var end = length == 0 ? ControlMessage.PrefixSize : length;
                received = _socket.Receive(buffer, filled, end - filled, SocketFlags.None);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                received = 0;
            }

            if (received == 0)
            {
                return null;
            }

            filled += received;
        }
    }

    /// <summary>Receives until the server closes, and returns the refusal, if there was one.</summary>
    public RefusalCode ReceiveToTheEnd()
    {
        var code = RefusalCode.None;
        while (Receive() is { } message)
        {
            if (message.Type == ControlMessageType.Refusal)
            {
                code = (RefusalCode)message.ReadCodeAndText().Code;
            }
        }

        return code;
    }

    public void Dispose() => _socket.Dispose();
}
