using System.Net.Sockets;

namespace GrpcShm.Hosting.Tests;

/// <summary>The way to a server that what comes over shared memory is compared with.</summary>
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
