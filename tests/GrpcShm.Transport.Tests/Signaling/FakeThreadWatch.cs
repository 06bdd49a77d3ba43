using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A thread that always lacks a processor.</summary>
internal sealed class FakeThreadWatch : ThreadWatch
{
    private int _questions;

    public int Questions => Volatile.Read(ref _questions);

    public override bool IsKeptFromProcessor(TimeSpan elapsed)
    {
        Interlocked.Increment(ref _questions);
        return true;
    }

    public override void Note()
    {
    }
}
