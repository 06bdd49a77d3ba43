using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides whether a reactor looks at its rings for a moment before it sleeps. That saves the wake-up of a sleeping
/// thread, 5 to 50 µs, where the peer answers at once; it takes the processor from the very thread that is to answer
/// where processors are few. So it has to prove itself: a trial compares how long the reactor waits for its peer with
/// and without, spinning goes on only if the waits are shorter, and is tried again ever more rarely if they are not.
/// </summary>
/// <remarks>One thread at a time. The idea of probing both regimes is that of adaptive mutexes; the trial is our own.</remarks>
internal sealed class AdaptiveSpin
{
    // Long enough that one late wait does not decide, short enough that a trial takes a millisecond.
    private const int WaitsPerTrial = 32;
    private const int FirstPause = 128;
    private const int LongestPause = 1 << 16;

    // Spinning for nothing more often than this is not worth a trial's second half.
    private const int LeastPaid = WaitsPerTrial / 4;

    private readonly long _longestWait;
    private Phase _phase = Phase.Trial;
    private int _waits;
    private int _paidWaits;
    private long _waited;
    private long _waitedSpinning;
    private int _pause = FirstPause;
    private long _paid;
    private long _unpaid;

    public AdaptiveSpin(TimeSpan budget)
    {
        BudgetTicks = (long)(budget.TotalSeconds * Stopwatch.Frequency);

        // A wait that is far longer than the budget was no wait for an answer: it says "long", and not how long.
        _longestWait = BudgetTicks * 16;
    }

    private enum Phase
    {
        /// <summary>Spins, and measures its waits.</summary>
        Trial,

        /// <summary>Sleeps, and measures its waits, to compare.</summary>
        Control,

        /// <summary>Spinning has won.</summary>
        Spinning,

        /// <summary>Spinning has lost: so many waits until the next trial.</summary>
        Paused,
    }

    /// <summary>How long one spin may take, in ticks of <see cref="Stopwatch"/>.</summary>
    public long BudgetTicks { get; }

    public bool IsEnabled => BudgetTicks > 0;

    /// <summary>How many spins found something.</summary>
    public long Paid => Volatile.Read(ref _paid);

    /// <summary>How many spins found nothing.</summary>
    public long Unpaid => Volatile.Read(ref _unpaid);

    public bool ShouldSpin() => _phase is Phase.Trial or Phase.Spinning;

    /// <summary>Notes how a wait went.</summary>
    /// <param name="ticks">How long it took until there was something to do.</param>
    /// <param name="paid">Whether spinning found it.</param>
    public void Record(long ticks, bool paid)
    {
        if (ShouldSpin())
        {
            // Written here only; read by the meter on any thread.
            Volatile.Write(ref paid ? ref _paid : ref _unpaid, (paid ? _paid : _unpaid) + 1);
        }

        _waited += Math.Min(ticks, _longestWait);
        _paidWaits += paid ? 1 : 0;
        if (++_waits < (_phase == Phase.Paused ? _pause : WaitsPerTrial))
        {
            return;
        }

        Next();
        _waits = 0;
        _paidWaits = 0;
        _waited = 0;
    }

    private void Next()
    {
        switch (_phase)
        {
            case Phase.Trial when _paidWaits >= LeastPaid:
                _waitedSpinning = _waited;
                _phase = Phase.Control;
                break;
            case Phase.Control when _waitedSpinning < _waited:
                _phase = Phase.Spinning;
                _pause = FirstPause;
                break;
            case Phase.Spinning when _paidWaits >= LeastPaid:
                break;
            case Phase.Paused:
                _phase = Phase.Trial;
                break;
            default:
                _phase = Phase.Paused;
                _pause = Math.Min(_pause * 2, LongestPause);
                break;
        }
    }
}
