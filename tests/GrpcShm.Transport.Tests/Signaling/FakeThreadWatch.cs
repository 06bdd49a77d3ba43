using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A thread that always lacks a processor, or never does.</summary>
internal sealed class FakeThreadWatch(bool isKept) : ThreadWatch
{
    private int _questions;

    public int Questions => Volatile.Read(ref _questions);

    public override bool IsKeptFromProcessor(TimeSpan elapsed)
    {
        Interlocked.Increment(ref _questions);
        return isKept;
    }

    public override void Note()
    {
    }
}
