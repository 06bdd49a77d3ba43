using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides where the work of one method runs: on the reactor, which saves a hop to another thread, while it is
/// short; on the thread pool while it is long, so that long work runs in parallel and holds up nobody.
/// </summary>
/// <remarks>
/// The time of a run is followed by an estimate of its median that goes up or down by an eighth with each run (a
/// Robbins–Monro approximation with a proportional step): one run that was preempted or met a garbage collection moves it
/// no more than any other. The first runs do not count, since they meet the JIT compiler. Runs on the pool are
/// measured as well, so a method that has become short comes back. Work that was overtaken (it blocked, or ran for
/// milliseconds) is kept on the pool for a number of runs that doubles each time.
/// <para>Threads may record at the same time and lose one another's update; it is an estimate.</para>
/// </remarks>
internal sealed class RunProfile
{
    private const int RunsBeforeItCounts = 32;
    private const int FirstPenalty = 256;
    private const int LongestPenalty = 1 << 20;

    // What a hop to the thread pool costs when its workers sleep, roughly.
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromMicroseconds(25);
    private static readonly long LeastStepTicks = Math.Max(1, Stopwatch.Frequency / 10_000_000);

    private readonly RunMode _mode;
    private readonly long _limitTicks;
    private long _estimate;
    private int _runs;
    private int _penalty;
    private int _nextPenalty = FirstPenalty;

    public RunProfile(RunMode mode)
        : this(mode, DefaultLimit)
    {
    }

    /// <param name="mode">Where the work runs, or that its time decides.</param>
    /// <param name="limit">How long a run may take that runs on the reactor.</param>
    public RunProfile(RunMode mode, TimeSpan limit)
    {
        _mode = mode;
        _limitTicks = (long)(limit.TotalSeconds * Stopwatch.Frequency);
        _estimate = _limitTicks / 2;
    }

    /// <summary>Whether the next run may take place on a reactor's thread.</summary>
    public bool RunsInline => _mode switch
    {
        RunMode.Inline => true,
        RunMode.ThreadPool => false,

        // Two threads that record the last run of a penalty at once take it below zero.
        _ => Volatile.Read(ref _penalty) <= 0 && Volatile.Read(ref _estimate) <= _limitTicks,
    };

    /// <summary>Notes how long a run took on its thread, in ticks of <see cref="Stopwatch"/>.</summary>
    public void Record(long ticks)
    {
        if (_penalty > 0)
        {
            Interlocked.Decrement(ref _penalty);
        }

        if (_runs < RunsBeforeItCounts)
        {
            _runs++;
            return;
        }

        var estimate = Volatile.Read(ref _estimate);
        var step = Math.Max(estimate >> 3, LeastStepTicks);
        Volatile.Write(ref _estimate, ticks > estimate ? estimate + step : Math.Max(estimate - step, LeastStepTicks));
    }

    /// <summary>Notes that a run kept its reactor away for so long that another thread had to take over.</summary>
    public void Overtaken()
    {
        Volatile.Write(ref _penalty, _nextPenalty);
        _nextPenalty = Math.Min(_nextPenalty * 2, LongestPenalty);
    }
}
