using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>Where the system tells nothing of a thread: it is taken not to lack a processor.</summary>
internal sealed class UnknownThreadWatch : ThreadWatch
{
    public static UnknownThreadWatch Instance { get; } = new();

    public override bool IsKeptFromProcessor(TimeSpan elapsed) => false;

    public override void Note()
    {
    }
}
