namespace GrpcShm.Transport;

/// <summary>The system lacks memory or handles for another connection.</summary>
/// <remarks>An <see cref="IOException"/>, so that gRPC reports <c>Unavailable</c>.</remarks>
public sealed class SharedMemoryResourcesException : IOException
{
    /// <summary>Creates the exception without saying what is lacking.</summary>
    public SharedMemoryResourcesException()
        : this("The system lacks memory or handles.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is lacking, and for what.</param>
    public SharedMemoryResourcesException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is lacking, and for what.</param>
    /// <param name="innerException">The cause.</param>
    public SharedMemoryResourcesException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
