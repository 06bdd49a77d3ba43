using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Direct;

/// <summary>Closes connections where nobody would learn of a failure.</summary>
internal static class UnheardClosing
{
    /// <summary>
    /// Closes a connection on a thread of the pool or of a timer, or on the thread of its last user.
    /// </summary>
    public static void CloseUnheard(this SharedMemoryConnection connection)
    {
        try
        {
            connection.Dispose();
        }
        catch (Exception)
        {
            // A listener of metrics has thrown, which is told when the connection has given everything back. Nobody is
            // left who could be told, and the exception must not end the process.
        }
    }
}
