namespace GrpcShm.Transport;

/// <summary>Another process, or another listener of this process, listens on the endpoint.</summary>
public sealed class EndPointInUseException : IOException
{
    /// <summary>Creates the exception without saying which endpoint it is.</summary>
    public EndPointInUseException()
        : this("The endpoint is in use.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which endpoint, and by whom it is used.</param>
    public EndPointInUseException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which endpoint, and by whom it is used.</param>
    /// <param name="innerException">The cause.</param>
    public EndPointInUseException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
