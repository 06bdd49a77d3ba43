namespace GrpcShm.Transport.Platform;

/// <summary>
/// The system of this process has refused a call, although no resource is lacking: the call is forbidden, or the system
/// does not know it. Never caused by the peer.
/// </summary>
internal sealed class PlatformException : IOException
{
    public PlatformException(string message)
        : base(message)
    {
    }
}
