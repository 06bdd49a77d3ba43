using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>For a system that says nothing of a thread: the thread is assumed not to lack a processor.</summary>
internal sealed class UnknownThreadWatch : ThreadWatch
{
    public static UnknownThreadWatch Instance { get; } = new();

    public override bool IsKeptFromProcessor(TimeSpan elapsed) => false;

    public override void Note()
    {
    }
}
