using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A wake-up that counts how often it is paid.</summary>
internal sealed class FakeWake : OwedWake
{
    private readonly TaskCompletionSource<string?> _paid = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    /// <summary>How often it was paid.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Completes with the name of the first thread that paid it.</summary>
    public Task<string?> Paid => _paid.Task;

    /// <summary>What else happens at the payment.</summary>
    public Action? OnPaid { get; init; }

    protected override void WakePeer()
    {
        Interlocked.Increment(ref _count);
        _paid.TrySetResult(Thread.CurrentThread.Name);
        OnPaid?.Invoke();
    }
}
