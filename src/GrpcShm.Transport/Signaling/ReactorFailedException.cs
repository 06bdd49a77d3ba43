namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The loop that served a connection has failed; what depended on it ends. The next connection gets a new one.
/// </summary>
/// <remarks>An <see cref="IOException"/>, so that gRPC reports <c>Unavailable</c>.</remarks>
internal sealed class ReactorFailedException : IOException
{
    public ReactorFailedException(string name, Exception cause)
        : base($"The thread that serves shared-memory connections ('{name}') failed: {cause.Message} Connect again.", cause)
    {
    }

    /// <summary>Creates one of its own for another who is told, since several threads may throw it.</summary>
    public ReactorFailedException(ReactorFailedException failure)
        : base(failure.Message, failure.InnerException)
    {
    }
}
