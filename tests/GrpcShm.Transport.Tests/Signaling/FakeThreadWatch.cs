using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A thread that lacks a processor whenever the test says so.</summary>
internal sealed class FakeThreadWatch(Func<bool> isKept) : ThreadWatch
{
    private int _questions;

    /// <summary>A thread that always lacks a processor, or never does.</summary>
    public FakeThreadWatch(bool isKept)
        : this(() => isKept)
    {
    }

    public int Questions => Volatile.Read(ref _questions);

    public override bool IsKeptFromProcessor(TimeSpan elapsed)
    {
        Interlocked.Increment(ref _questions);
        return isKept();
    }

    public override void Note()
    {
    }
}
