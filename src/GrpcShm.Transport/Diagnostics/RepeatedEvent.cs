using System.Diagnostics;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Something that a peer can make happen as often as it likes, and that is to be logged. It is told at once, and from then on once in a
/// while, with the number of times that it was not told. Needs no timer: the next one tells of those before it, and whoever owns this
/// tells of the last ones at its end. Any thread.
/// </summary>
/// <param name="pause">How long it is not told again.</param>
internal sealed class RepeatedEvent(TimeSpan pause)
{
    private readonly long _pause = (long)(pause.TotalSeconds * Stopwatch.Frequency);

    // Written by whoever tells, by compare-and-swap, so that one of several does.
    private long _next = long.MinValue;
    private long _untold;

    public RepeatedEvent()
        : this(TimeSpan.FromSeconds(10))
    {
    }

    /// <summary>Notes that it has happened.</summary>
    /// <param name="untold">How often it has happened since it was last told, this time not counted. 0 if it is not to be told.</param>
    /// <returns>Whether it is to be told now.</returns>
    public bool TryTell(out long untold)
    {
        var now = Stopwatch.GetTimestamp();
        var next = Volatile.Read(ref _next);
        if (now >= next && Interlocked.CompareExchange(ref _next, now + _pause, next) == next)
        {
            untold = TakeUntold();
            return true;
        }

        Interlocked.Increment(ref _untold);
        untold = 0;
        return false;
    }

    /// <summary>Gives how often it has happened and was not told, and forgets that.</summary>
    public long TakeUntold() => Interlocked.Exchange(ref _untold, 0);
}
