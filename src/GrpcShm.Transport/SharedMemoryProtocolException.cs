namespace GrpcShm.Transport;

/// <summary>
/// The peer broke the rules of <c>docs/why/protocol.md</c>: a cursor out of range, a malformed handshake, memory that
/// can shrink. The connection is over.
/// </summary>
/// <remarks>An <see cref="IOException"/>, so that gRPC reports <c>Unavailable</c>.</remarks>
public sealed class SharedMemoryProtocolException : IOException
{
    /// <summary>Creates the exception without a reason.</summary>
    public SharedMemoryProtocolException()
        : this("The peer broke the shared-memory protocol.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which rule was broken, and how.</param>
    public SharedMemoryProtocolException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which rule was broken, and how.</param>
    /// <param name="innerException">The cause.</param>
    public SharedMemoryProtocolException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// True if no peer would have written what was read, so that the memory has probably been corrupted.
    /// </summary>
    internal bool IsCorruption { get; init; }
}
