using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// The stream between two processes over which they meet: it carries the handshake and the handles, says who the peer
/// is, and its end is the peer's end. Nothing here blocks.
/// </summary>
internal abstract class ControlSocket : IDisposable
{
    public abstract SharedMemoryPeer Peer { get; }

    /// <summary>What a <see cref="Poller"/> waits for.</summary>
    public abstract SafeHandle Handle { get; }

    /// <summary>Sends a whole message with copies of handles.</summary>
    /// <exception cref="EndOfStreamException">The peer is gone.</exception>
    /// <exception cref="IOException">The socket failed, or the peer has left so much unread that there is no room.</exception>
    public abstract void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments);

    /// <summary>Receives what is there.</summary>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="attachments">Where handles go that came with them; the caller owns these.</param>
    /// <returns>How many bytes came; 0 at the end; less than 0 if there is nothing yet.</returns>
    /// <exception cref="IOException">The socket failed, or the peer sent more handles than any message has.</exception>
    public abstract int Receive(Span<byte> buffer, List<SafeHandle> attachments);

    /// <summary>Ends both directions, so that both sides see the end at once.</summary>
    public abstract void Shutdown();

    public abstract void Dispose();
}
