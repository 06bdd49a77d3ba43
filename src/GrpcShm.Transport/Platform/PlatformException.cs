namespace GrpcShm.Transport.Platform;

/// <summary>
/// This process's own system did not do what it was asked for, though nothing is lacking: it is forbidden, or not known
/// there. Never the peer's doing.
/// </summary>
internal sealed class PlatformException : IOException
{
    public PlatformException(string message)
        : base(message)
    {
    }
}
