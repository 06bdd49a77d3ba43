using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// The stream over which two processes meet. It carries the handshake and the handles, and tells who the peer is. When
/// the stream ends, the peer has ended. No call here blocks.
/// </summary>
/// <remarks>
/// A make may use readiness: it asks the system each time. Or it may use completion: it keeps a read into a buffer of
/// its own under way, and hands out the bytes that have come. A make does not use the caller's buffers after a call has
/// returned. One thread at a time receives; another thread may send meanwhile, or shut down.
/// </remarks>
internal abstract class ControlSocket : IDisposable
{
    public abstract SharedMemoryPeer Peer { get; }

    /// <summary>
    /// A <see cref="Poller"/> reports this source when there may be something to receive, which may be the end.
    /// </summary>
    public abstract IPollSource Source { get; }

    /// <summary>Sends a whole message with copies of handles.</summary>
    /// <exception cref="EndOfStreamException">The peer is gone.</exception>
    /// <exception cref="IOException">
    /// The socket failed, or the peer has left so many bytes unread that there is no room.
    /// </exception>
    public abstract void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments);

    /// <summary>
    /// Receives the bytes that are there. After a result below 0 the <see cref="Source"/> is reported as soon as more
    /// bytes come.
    /// </summary>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="attachments">
    /// Where the handles go that came with the bytes, at the latest with the message's last byte; the caller owns them.
    /// </param>
    /// <returns>How many bytes came; 0 at the end; less than 0 if there is nothing yet.</returns>
    /// <exception cref="IOException">The socket failed, or the peer sent more handles than any message has.</exception>
    public abstract int Receive(Span<byte> buffer, List<SafeHandle> attachments);

    /// <summary>Ends both directions, so that both sides see the end at once.</summary>
    public abstract void Shutdown();

    /// <summary>Closes the socket, and ends the operations that are under way.</summary>
    public abstract void Dispose();
}
