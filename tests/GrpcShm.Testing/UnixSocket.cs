using System.Net.Sockets;

namespace GrpcShm.Testing;

/// <summary>A way to a server over a Unix socket, with which calls over shared memory are compared.</summary>
internal static class UnixSocket
{
    /// <summary>Makes .NET's own handler, which connects to a socket.</summary>
    public static SocketsHttpHandler CreateHandler(string path) => new()
    {
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}
