using System.Diagnostics;
using System.Runtime.ExceptionServices;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The work that a reactor's leader runs after each round, to completion: the thread that took frames off the rings
/// runs the foreign code that waits for them. The leader is away meanwhile, see <see cref="ReactorLeadership"/>.
/// </summary>
/// <remarks>The queue is touched only by the leader, like the rest of the loop's state.</remarks>
/// <param name="leadership">Says which thread leads.</param>
/// <param name="gate">The reactor's lock, which must not be held over foreign code.</param>
/// <param name="name">The name of the reactor's threads.</param>
internal sealed class ReactorWorkQueue(ReactorLeadership leadership, Lock gate, string name)
{
    // Work that has waited longer than this is worth a hop to another thread, if there is an idle one.
    private static readonly long LateTicks = Stopwatch.Frequency / 1_000_000 * 500;

    private readonly Queue<ReactorWork> _work = new();

    private static bool IsPoolIdle => ThreadPool.PendingWorkItemCount == 0;

    /// <summary>Queues work. By the leader.</summary>
    /// <returns>True if the reactor will run the work; if not, the thread pool has to.</returns>
    public bool TryAdd(ReactorWork work)
    {
        if (!leadership.MayLeave)
        {
            return false;
        }

        _work.Enqueue(work);
        return true;
    }

    /// <summary>Takes all work out, to be run elsewhere. By the leader.</summary>
    public ReactorWork[] TakeAll()
    {
        var work = _work.ToArray();
        _work.Clear();
        return work;
    }

    /// <summary>Runs the queued work. By the leader.</summary>
    /// <returns>True if this thread still leads.</returns>
    public bool Run()
    {
        if (_work.Count == 0)
        {
            return true;
        }

        var started = Stopwatch.GetTimestamp();
        var time = started;
        while (_work.TryDequeue(out var work))
        {
            var profile = work.Profile;
            if (!profile.RunsNow(isLast: _work.Count == 0, isLate: time - started > LateTicks && IsPoolIdle)
                || !leadership.MayLeave)
            {
                work.RunOnPool();
                continue;
            }

            var away = leadership.Leave(profile);
            var failure = RunAway(work);
            var now = Stopwatch.GetTimestamp();
            profile.Record(now - time);
            time = now;
            if (!leadership.TryComeBack(away))
            {
                return false;
            }

            failure?.Throw();
        }

        leadership.ForgetWork();
        return true;
    }

    /// <summary>Runs foreign code, and restores this thread to a clean state.</summary>
    /// <returns>The reason why this thread is not clean again, if it is not.</returns>
    private ExceptionDispatchInfo? RunAway(ReactorWork work)
    {
        LockOrder.ThrowIfHeld(gate);
        try
        {
            work.RunHere();
            CleanThread.Restore(name);
            return null;
        }
        catch (Exception exception)
        {
            // Not thrown before it is known whether this thread still leads: a thread that leads no more must not end
            // the loop.
            return ExceptionDispatchInfo.Capture(exception);
        }
    }
}
