using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides how a reactor waits. To spin saves a wake-up, which takes 5 to 50 µs. But if processors are few, a spinning
/// thread takes the processor from the thread that is to answer, and it cuts a stream into small batches. To coalesce
/// makes large batches of a stream, but delays an answer that somebody waits for. The reactor cannot know which case
/// it has, so a trial gives each strategy turns, and compares how many bytes went through in the time. A strategy is
/// kept only if it moved clearly more than plain sleeping. The trial is repeated more and more rarely while its result
/// stays the same. A strategy whose waits end much too late, since other threads have the processors, is given up at
/// once: on a busy machine it cannot win, and a trial says little.
/// </summary>
/// <remarks>One thread at a time, except for the counters.</remarks>
internal sealed class AdaptiveWait
{
    private const int Strategies = 3;
    private const int RoundsPerTrial = 8;
    private const int LeastWaitsPerTurn = 16;

    // In percent: how much has to go through, compared with sleeping. Spinning costs a processor and coalescing a
    // delay, so equal is not enough.
    private const int LeastGain = 110;

    // In percent: a strategy that moves less than this in its first turn gets no second turn in this trial.
    private const int Hopeless = 50;

    // What a wait that was held up counts for, what lets it be forgotten is one for each wait that was not, and the sum
    // at which a strategy is given up: two in a row, or more than one of nine for long.
    private const int HeldUpWeight = 8;
    private const int MostHeldUp = 15;

    // Other threads have held up a wait that ends so much too late. A timer is late by a tenth of it.
    private static readonly long HeldUpTicks = Ticks(TimeSpan.FromMicroseconds(500));

    // Long enough that the scheduler's time slices, of a few milliseconds, affect all strategies alike.
    private static readonly long TurnTicks = Ticks(TimeSpan.FromMilliseconds(4));
    private static readonly long FirstVerdictTicks = Ticks(TimeSpan.FromMilliseconds(500));
    private static readonly long LongestVerdictTicks = Ticks(TimeSpan.FromSeconds(64));

    // In a longer wait the peer has paused. It counts only as this much, or one pause would decide the trial.
    private static readonly long LongestWaitTicks = Ticks(TimeSpan.FromMilliseconds(2));

    private readonly Sample[] _samples = new Sample[Strategies];
    private bool _isTrial = true;
    private int _round;
    private int _waits;
    private int _heldUp;
    private long _verdictTicks = FirstVerdictTicks;
    private long _respiteTicks = FirstVerdictTicks;
    private WaitStrategy _verdict = WaitStrategy.Sleep;
    private long _last;
    private long _ticks;
    private long _bytes;
    private long _paid;
    private long _unpaid;

    /// <summary>Begins with the first trial.</summary>
    /// <param name="spin">How long a spin may take; 0 to always sleep.</param>
    public AdaptiveWait(TimeSpan spin) => SpinTicks = Ticks(spin);

    /// <summary>How long one spin may take, in ticks of <see cref="Stopwatch"/>.</summary>
    public long SpinTicks { get; }

    public bool IsEnabled => SpinTicks > 0;

    /// <summary>What to do at the next wait.</summary>
    public WaitStrategy Strategy { get; private set; } = WaitStrategy.Sleep;

    /// <summary>How many spins found something.</summary>
    public long Paid => Volatile.Read(ref _paid);

    /// <summary>How many spins found nothing.</summary>
    public long Unpaid => Volatile.Read(ref _unpaid);

    /// <summary>Notes that bytes went through.</summary>
    public void AddProgress(long bytes) => _bytes += bytes;

    /// <summary>Notes how a wait went.</summary>
    /// <param name="now">When it ended, in ticks of <see cref="Stopwatch"/>.</param>
    /// <param name="paid">Whether spinning found something to do.</param>
    /// <param name="late">
    /// By how much a spin or a pause took longer than it should have, in the same ticks; nothing if there was none.
    /// </param>
    public void Record(long now, bool paid, long? late)
    {
        if (Strategy == WaitStrategy.Spin)
        {
            // Written only here; the meter reads it on any thread.
            Volatile.Write(ref paid ? ref _paid : ref _unpaid, (paid ? _paid : _unpaid) + 1);
        }

        _ticks += Math.Min(now - _last, LongestWaitTicks);
        _last = now;
        _waits++;
        if (late is { } ticks)
        {
            _heldUp = ticks > HeldUpTicks ? _heldUp + HeldUpWeight : Math.Max(_heldUp - 1, 0);
        }

        if (_heldUp > MostHeldUp)
        {
            GiveUp();
            BeginTurn();
        }
        else if (_isTrial ? _waits >= LeastWaitsPerTurn && _ticks >= TurnTicks : _ticks >= _verdictTicks)
        {
            EndTurn();
            BeginTurn();
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private void BeginTurn()
    {
        _waits = 0;
        _heldUp = 0;
        _ticks = 0;
        _bytes = 0;
    }

    private void EndTurn()
    {
        if (_isTrial)
        {
            _samples[(int)Strategy].Add(_bytes, _ticks);
            GoOnTrying();
        }
        else
        {
            if (Strategy != WaitStrategy.Sleep)
            {
                // It was not held up for all of its time.
                _respiteTicks = FirstVerdictTicks;
            }

            _isTrial = true;
            Strategy = WaitStrategy.Sleep;
        }
    }

    /// <summary>
    /// Gives up a strategy whose waits are held up: for this trial, or, if it was the verdict, for a time that doubles
    /// with each time that this happens.
    /// </summary>
    private void GiveUp()
    {
        if (_isTrial)
        {
            _samples[(int)Strategy] = Sample.HeldUp;
            GoOnTrying();
        }
        else
        {
            Strategy = _verdict = WaitStrategy.Sleep;
            _verdictTicks = _respiteTicks;
            _respiteTicks = Math.Min(_respiteTicks * 2, LongestVerdictTicks);
        }
    }

    private void GoOnTrying()
    {
        do
        {
            Strategy = (WaitStrategy)(((int)Strategy + 1) % Strategies);
            _round += Strategy == WaitStrategy.Sleep ? 1 : 0;
        }
        while (_round < RoundsPerTrial && IsHopeless(Strategy));

        if (_round == RoundsPerTrial)
        {
            Judge();
        }
    }

    private bool IsHopeless(WaitStrategy strategy) =>
        strategy != WaitStrategy.Sleep && _round > 0
            && (_samples[(int)strategy].IsHeldUp || !IsBetter(strategy, WaitStrategy.Sleep, Hopeless));

    private void Judge()
    {
        var best = IsBetter(WaitStrategy.Coalesce, WaitStrategy.Spin, 100) ? WaitStrategy.Coalesce : WaitStrategy.Spin;
        Strategy = IsBetter(best, WaitStrategy.Sleep, LeastGain) ? best : WaitStrategy.Sleep;
        _verdictTicks = Strategy == _verdict ? Math.Min(_verdictTicks * 2, LongestVerdictTicks) : FirstVerdictTicks;
        _verdict = Strategy;
        _isTrial = false;
        _round = 0;
        _samples.AsSpan().Clear();
    }

    /// <summary>True if a strategy moved more than a percentage of the bytes per tick that another moved.</summary>
    private bool IsBetter(WaitStrategy strategy, WaitStrategy than, int percent)
    {
        var (one, other) = (_samples[(int)strategy], _samples[(int)than]);
        return (double)one.Bytes * other.Ticks * 100 > (double)other.Bytes * one.Ticks * percent;
    }

    private struct Sample
    {
        public long Bytes;
        public long Ticks;

        /// <summary>What moved nothing, and is not to be tried again.</summary>
        public static Sample HeldUp => new() { Ticks = 1, IsHeldUp = true };

        public bool IsHeldUp { get; private init; }

        public void Add(long bytes, long ticks)
        {
            Bytes += bytes;
            Ticks += ticks;
        }
    }
}
