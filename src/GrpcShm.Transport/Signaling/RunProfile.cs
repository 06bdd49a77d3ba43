using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides where the work of one method runs. Short work runs on the reactor, which saves a hop to another thread. Long
/// work runs on the thread pool, in parallel, and holds up nobody. The limit depends on whether other work waits: with
/// nothing queued behind it, a method may take several times as long as a hop. So a process that has little to do,
/// whose methods are slow because all caches are cold, does not pay for the hop on top.
/// </summary>
/// <remarks>
/// An estimate of the median follows the times of the runs. It goes up or down by an eighth with each run (a
/// Robbins-Monro approximation with a proportional step): a run that was preempted or met a garbage collection moves it
/// no more than any other run. The first runs do not count, since they meet the JIT compiler. Runs on the pool are
/// measured as well, so a method that has become short comes back. Work that was overtaken (it blocked, or ran for
/// milliseconds) is kept on the pool for a number of runs. That number doubles each time, and halves after as many runs
/// that went well.
/// <para>Threads may record at the same time and lose each other's update; this is only an estimate.</para>
/// </remarks>
internal sealed class RunProfile
{
    private const int RunsBeforeItCounts = 32;
    private const int FirstPenalty = 256;
    private const int LongestPenalty = 1 << 20;

    // The approximate cost of a hop to the thread pool when its workers sleep.
    private static readonly long LimitTicks = Stopwatch.Frequency / 1_000_000 * 25;
    private static readonly long LastLimitTicks = 8 * LimitTicks;
    private static readonly long LeastStepTicks = Math.Max(1, Stopwatch.Frequency / 10_000_000);

    private readonly RunMode _mode;
    private long _estimate = LimitTicks / 2;
    private int _runs;
    private int _penalty;
    private int _nextPenalty = FirstPenalty;
    private int _runsThatWentWell;

    public RunProfile(RunMode mode) => _mode = mode;

    /// <summary>Whether the next run may be queued for a reactor's thread.</summary>
    public bool MayRunInline => RunsNow(isLast: true, isLate: false);

    /// <summary>Whether the next run in a reactor's queue takes place on the reactor's thread.</summary>
    /// <param name="isLast">Whether nothing is queued behind the run.</param>
    /// <param name="isLate">Whether the run has waited for long while there are idle threads.</param>
    public bool RunsNow(bool isLast, bool isLate) => _mode switch
    {
        RunMode.Inline => true,
        RunMode.ThreadPool => false,

        // The penalty may be below zero, if two threads record its last run at the same time.
        _ => !isLate
            && Volatile.Read(ref _penalty) <= 0
            && Volatile.Read(ref _estimate) <= (isLast ? LastLimitTicks : LimitTicks),
    };

    /// <summary>Notes how long a run took on its thread, in ticks of <see cref="Stopwatch"/>.</summary>
    public void Record(long ticks)
    {
        if (_penalty > 0)
        {
            Interlocked.Decrement(ref _penalty);
        }
        else if (_nextPenalty > FirstPenalty && ++_runsThatWentWell >= _nextPenalty)
        {
            _runsThatWentWell = 0;
            _nextPenalty /= 2;
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

    /// <summary>
    /// Keeps such work on the pool for some time, since a run kept its reactor away for so long that another thread had
    /// to take over.
    /// </summary>
    public void Penalize()
    {
        Volatile.Write(ref _penalty, _nextPenalty);
        _runsThatWentWell = 0;
        _nextPenalty = Math.Min(_nextPenalty * 2, LongestPenalty);
    }
}
