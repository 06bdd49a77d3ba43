using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides whether a reactor looks at its rings for a moment before it sleeps. That saves the wake-up of a sleeping
/// thread, 5 to 50 µs, where the peer answers at once. But it takes the processor from the very thread that is to answer
/// where processors are few, and where a stream would have come in large batches, it takes it apart into small ones. So
/// it has to prove itself by what counts in the end: a trial alternates between spinning and sleeping, compares the
/// bytes that went through in the time, and only if spinning moved clearly more is it kept. It is tried again ever more
/// rarely while the answer stays the same.
/// </summary>
/// <remarks>One thread at a time, except for the counters.</remarks>
internal sealed class AdaptiveSpin
{
    // Short turns, many of them: what else goes on in the machine meets both alike.
    private const int WaitsPerTurn = 16;
    private const int TurnsPerTrial = 16;
    private const int FirstVerdict = 512;
    private const int LongestVerdict = 1 << 16;

    // In percent: as much more has to go through. Spinning costs a processor, so a draw is not enough.
    private const int LeastGain = 105;

    private readonly Sample[] _samples = new Sample[2];
    private readonly long _longestWait;
    private Phase _phase = Phase.Trial;
    private int _waits;
    private int _turns;
    private int _paidWaits;
    private int _verdictWaits = FirstVerdict;
    private bool _spinning = true;
    private long _last;
    private long _ticks;
    private long _bytes;
    private long _paid;
    private long _unpaid;

    public AdaptiveSpin(TimeSpan budget)
    {
        BudgetTicks = (long)(budget.TotalSeconds * Stopwatch.Frequency);

        // A wait that is far longer than the budget was a pause of the peer's: it says "long", and not how long, or one
        // pause would decide the trial.
        _longestWait = BudgetTicks * 64;
    }

    private enum Phase
    {
        /// <summary>Turns with and without spinning, one after the other.</summary>
        Trial,

        /// <summary>A trial's result is in force, for so many waits.</summary>
        Verdict,
    }

    /// <summary>How long one spin may take, in ticks of <see cref="Stopwatch"/>.</summary>
    public long BudgetTicks { get; }

    public bool IsEnabled => BudgetTicks > 0;

    /// <summary>How many spins found something.</summary>
    public long Paid => Volatile.Read(ref _paid);

    /// <summary>How many spins found nothing.</summary>
    public long Unpaid => Volatile.Read(ref _unpaid);

    public bool ShouldSpin() => _spinning;

    /// <summary>Notes that bytes went through.</summary>
    public void AddProgress(long bytes) => _bytes += bytes;

    /// <summary>Notes how a wait went.</summary>
    /// <param name="now">When it ended, in ticks of <see cref="Stopwatch"/>.</param>
    /// <param name="paid">Whether spinning found what there was to do.</param>
    public void Record(long now, bool paid)
    {
        if (_spinning)
        {
            // Written here only; read by the meter on any thread.
            Volatile.Write(ref paid ? ref _paid : ref _unpaid, (paid ? _paid : _unpaid) + 1);
            _paidWaits += paid ? 1 : 0;
        }

        _ticks += Math.Min(now - _last, _longestWait);
        _last = now;
        if (++_waits < (_phase == Phase.Trial ? WaitsPerTurn : _verdictWaits))
        {
            return;
        }

        if (_phase == Phase.Trial)
        {
            EndTurn();
        }
        else
        {
            _phase = Phase.Trial;
            _spinning = true;
        }

        _waits = 0;
        _bytes = 0;
        _ticks = 0;
    }

    private void EndTurn()
    {
        ref var sample = ref _samples[_spinning ? 1 : 0];
        sample.Bytes += _bytes;
        sample.Ticks += _ticks;
        _spinning = !_spinning;
        if (++_turns == TurnsPerTrial)
        {
            Judge();
        }
    }

    private void Judge()
    {
        var (without, with) = (_samples[0], _samples[1]);

        // Bytes per tick with against without, multiplied out.
        var isBetter = _paidWaits > 0
            && (double)with.Bytes * without.Ticks * 100 > (double)without.Bytes * with.Ticks * LeastGain;
        _verdictWaits = isBetter ? FirstVerdict * 4 : Math.Min(_verdictWaits * 2, LongestVerdict);
        _spinning = isBetter;
        _phase = Phase.Verdict;
        _turns = 0;
        _paidWaits = 0;
        _samples.AsSpan().Clear();
    }

    private struct Sample
    {
        public long Bytes;
        public long Ticks;
    }
}
