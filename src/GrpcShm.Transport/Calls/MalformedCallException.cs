namespace GrpcShm.Transport.Calls;

/// <summary>
/// Something is wrong with one call alone: the call is reset, and the connection goes on. If the connection itself is
/// broken, so that the following frames cannot be read, a <see cref="SharedMemoryProtocolException"/> is thrown.
/// </summary>
internal sealed class MalformedCallException : Exception
{
    public MalformedCallException(CallError error, string message)
        : base(message) => Error = error;

    /// <summary>The error that the peer is told.</summary>
    public CallError Error { get; }
}
