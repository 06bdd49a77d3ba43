using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>An operation that completes with the sum of what was added since the last operation.</summary>
internal sealed class CountedOperation : SignaledOperation<int>
{
    private int _added;
    private int _owners;

    public int Looks { get; private set; }

    public int Announcements { get; private set; }

    public Exception? Failure { get; set; }

    public bool IsOwned => Volatile.Read(ref _owners) != 0;

    protected override bool MayRunInline => false;

    protected override IRingTarget? RingTarget => null;

    public void Add(int count)
    {
        Interlocked.Add(ref _added, count);
        Signal(onReactor: false);
    }

    public ValueTask<int> StartAsync(CancellationToken cancellationToken)
    {
        Enter();
        return RunAsync(cancellationToken);
    }

    public void EnterAndLeave(Action between)
    {
        Enter();
        try
        {
            between();
        }
        finally
        {
            Leave();
        }
    }

    protected override bool TryComplete([MaybeNullWhen(false)] out int result)
    {
        Assert.Equal(1, Interlocked.Increment(ref _owners));
        Looks++;
        result = Interlocked.Exchange(ref _added, 0);
        Assert.Equal(0, Interlocked.Decrement(ref _owners));
        return Failure is null ? result != 0 : throw Failure;
    }

    protected override void AnnounceWait() => Announcements++;
}
