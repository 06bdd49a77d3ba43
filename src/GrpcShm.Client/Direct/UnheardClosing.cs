using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Direct;

/// <summary>Closes connections where nobody would hear of a failure.</summary>
internal static class UnheardClosing
{
    /// <summary>
    /// Closes a connection on a thread of the pool, a timer's, or that of whoever happens to be the last one.
    /// </summary>
    public static void CloseUnheard(this SharedMemoryConnection connection)
    {
        try
        {
            connection.Dispose();
        }
        catch (Exception)
        {
            // A listener of metrics, which is told when all is given back. One that throws has nobody left to tell, and
            // must not end the process.
        }
    }
}
