using System.Net.Sockets;

namespace GrpcShm.Testing;

/// <summary>A socket of a program that does not use this transport and its lock files.</summary>
internal static class ForeignSocket
{
    /// <summary>Binds a stream socket and listens.</summary>
    /// <param name="path">The path of the socket.</param>
    /// <param name="backlog">The number of clients that may wait.</param>
    /// <param name="everybodys">True if any user may connect.</param>
    public static Socket Listen(string path, int backlog = 16, bool everybodys = false)
    {
        var socket = Bind(path, SocketType.Stream);
        socket.Listen(backlog);
        if (everybodys)
        {
            File.SetUnixFileMode(path, (UnixFileMode)0x1B6);
        }

        return socket;
    }

    public static Socket Bind(string path, SocketType type)
    {
        var socket = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    public static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).InTime();
        return socket;
    }
}
