namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The loop that served a connection has failed, and its connections end. The next connection gets a new loop.
/// </summary>
/// <remarks>An <see cref="IOException"/>, so that gRPC reports <c>Unavailable</c>.</remarks>
internal sealed class ReactorFailedException : IOException
{
    public ReactorFailedException(string name, Exception cause)
        : base(
            $"The thread that serves shared-memory connections ('{name}') failed: {cause.Message} Connect again.",
            cause)
    {
    }

    /// <summary>
    /// Copies the exception for another target: several threads may throw it, and each needs an object of its own.
    /// </summary>
    public ReactorFailedException(ReactorFailedException failure)
        : base(failure.Message, failure.InnerException)
    {
    }
}
