namespace GrpcShm.Transport.Calls;

/// <summary>
/// Something is wrong with one call, and with nothing else: it is reset, and the connection goes on. What breaks the
/// connection itself, so that what follows cannot be read, is a <see cref="SharedMemoryProtocolException"/>.
/// </summary>
internal sealed class MalformedCallException : Exception
{
    public MalformedCallException(CallError error, string message)
        : base(message) => Error = error;

    /// <summary>What the peer is told.</summary>
    public CallError Error { get; }
}
