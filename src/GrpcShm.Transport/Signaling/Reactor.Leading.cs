using System.Diagnostics;
using System.Runtime.ExceptionServices;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Run to completion: the thread that took frames off the rings runs what they lead to. That is safe because the loop
/// does not belong to the thread. While its leader is away in foreign code, the <see cref="Sentinel"/> may give the
/// loop to another thread; the one that was away finds out when it comes back, and becomes a spare.
/// </summary>
/// <remarks>
/// <code>
/// _word: a sequence number that is even while a thread leads and odd while it is away
///
/// even n   --leader leaves----------> n + 1   by the leader, after all of the loop's state is in place
/// odd n    --leader comes back------> n + 1   by compare-and-swap: then it still leads
/// odd n    --sentinel takes over----> n + 1   by compare-and-swap: then another thread leads
/// </code>
/// One of the last two fails. The loop's state (queues, budget, strategy) is touched only by the leader; the store of
/// the odd number releases it, the swap acquires it.
/// </remarks>
internal sealed partial class Reactor
{
    // So many threads may be held up in foreign code at once; then no more work runs on reactors until one is back.
    private const int MaxOvertaken = 16;

    private const int MaxSpares = 2;

    // What is queued behind this much is worth a hop to another thread, where there is one that has nothing to do.
    private static readonly long LateTicks = Stopwatch.Frequency / 1_000_000 * 500;

    private readonly string _name;
    private readonly Func<ThreadWatch> _watchThread;
    private readonly Queue<ReactorWork> _work = new();
    private readonly Stack<ReactorTurn> _spares = new();
    private Sentinel? _sentinel;
    private RunProfile? _running;
    private ThreadWatch? _leader;
    private long _word;
    private int _overtaken;

    /// <summary>The sequence number, see the remarks.</summary>
    public long LeadershipWord => Volatile.Read(ref _word);

    /// <summary>The thread that leads. Set before that is away, so whoever has seen it away may ask.</summary>
    public ThreadWatch Leader => Volatile.Read(ref _leader)!;

    public static bool IsAway(long word) => (word & 1) != 0;

    /// <summary>
    /// Names who watches this reactor, before it runs; without anybody all work goes to the thread pool.
    /// </summary>
    public void WatchBy(Sentinel sentinel) => Volatile.Write(ref _sentinel, sentinel);

    /// <summary>Queues work to be run after this round. Only on this reactor's thread, while it leads.</summary>
    /// <returns>Whether it will be run here; if not, the thread pool has to.</returns>
    public bool TryQueue(ReactorWork work)
    {
        if (_sentinel is null || Volatile.Read(ref _overtaken) >= MaxOvertaken)
        {
            return false;
        }

        _work.Enqueue(work);
        return true;
    }

    /// <summary>Gives the loop to another thread, if its leader is still away since that sequence number.</summary>
    /// <param name="word">The sequence number.</param>
    /// <param name="isItsFault">Whether what the leader runs has held it up, so that its like had better run
    /// elsewhere.</param>
    public void TakeOver(long word, bool isItsFault)
    {
        // First the thread, since the system may have none: then the one that is away stays the leader.
        var turn = TakeSpare() ?? StartThread();
        var profile = Volatile.Read(ref _running);
        if (Interlocked.CompareExchange(ref _word, word + 1, word) != word)
        {
            GiveBack(turn);
            return;
        }

        // It was work of this profile that the leader was in, since it would have had to change the word before
        // another.
        if (isItsFault)
        {
            profile?.Overtaken();
        }

        Interlocked.Increment(ref _overtaken);
        turn.Give();
    }

    /// <summary>Says that no other thread could take the place of one that is held up.</summary>
    public void TellOfTakeOverThatFailed(Exception exception) =>
        Tell(_slots.All(), logger => Log.TakeOverFailed(logger, _name, exception.Message, exception));

    private static bool IsPoolIdle => ThreadPool.PendingWorkItemCount == 0;

    /// <summary>Starts a thread that waits for its turn.</summary>
    private ReactorTurn StartThread()
    {
        var turn = new ReactorTurn();
        try
        {
            new Thread(() => Run(turn)) { IsBackground = true, Name = _name }.UnsafeStart();
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private ThreadWatch WatchThread()
    {
        try
        {
            return _watchThread();
        }
        catch (Exception)
        {
            // What the system does not tell is not known. Then a thread that lacks a processor is overtaken too early,
            // no more.
            return UnknownThreadWatch.Instance;
        }
    }

    /// <summary>Leads the loop, as often as it is this thread's turn.</summary>
    private void Run(ReactorTurn turn)
    {
        using (turn)
        {
            var watch = WatchThread();
            while (turn.Wait() && Lead(watch) && BecomeSpare(turn))
            {
            }
        }
    }

    /// <summary>Leads the loop until another thread does, or until the loop ends.</summary>
    /// <returns>Whether another thread leads.</returns>
    private bool Lead(ThreadWatch watch)
    {
        try
        {
            Volatile.Write(ref _leader, watch);
            t_running = this;

            // One that was overtaken may have come back as foreign code left it.
            CleanThread.Restore(_name);

            // First what the last leader has left behind: the poller may have no news for a long time, and the one who
            // is away may be waiting for just that work.
            while (RunWork())
            {
                if (Volatile.Read(ref _registered) == 0 && TryEnd())
                {
                    return false;
                }

                RunRound();
            }

            return true;
        }
        catch (Exception exception)
        {
            Fail(exception);
            return false;
        }
    }

    /// <summary>Runs what has been queued.</summary>
    /// <returns>Whether this thread still leads.</returns>
    private bool RunWork()
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
                || Volatile.Read(ref _overtaken) >= MaxOvertaken)
            {
                work.RunOnPool();
                continue;
            }

            Volatile.Write(ref _running, profile);
            var away = _word + 1;
            t_running = null;

            // Release: whoever takes over finds the loop's state as it is here. Arming comes after it, see the
            // sentinel.
            Volatile.Write(ref _word, away);
            _sentinel!.Arm();
            var failure = RunAway(work);
            var now = Stopwatch.GetTimestamp();
            profile.Record(now - time);
            time = now;
            if (Interlocked.CompareExchange(ref _word, away + 1, away) != away)
            {
                Interlocked.Decrement(ref _overtaken);
                return false;
            }

            t_running = this;
            failure?.Throw();
        }

        Volatile.Write(ref _running, null);
        return true;
    }

    /// <summary>Runs foreign code, and makes this thread clean again.</summary>
    /// <returns>Why this thread is not what it was, if it is not.</returns>
    private ExceptionDispatchInfo? RunAway(ReactorWork work)
    {
        LockOrder.ThrowIfHeld(_gate);
        try
        {
            work.RunHere();
            CleanThread.Restore(_name);
            return null;
        }
        catch (Exception exception)
        {
            // Not thrown before it is known whether this thread still leads: else there would be nothing here that
            // ends.
            return ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Lets this thread wait until it is needed again.</summary>
    /// <returns>Whether it may; else it has to end.</returns>
    private bool BecomeSpare(ReactorTurn turn)
    {
        lock (_gate)
        {
            if (_poller is null || _spares.Count >= MaxSpares)
            {
                return false;
            }

            _spares.Push(turn);
            return true;
        }
    }

    private ReactorTurn? TakeSpare()
    {
        lock (_gate)
        {
            return _spares.TryPop(out var spare) ? spare : null;
        }
    }

    private void GiveBack(ReactorTurn turn)
    {
        if (!BecomeSpare(turn))
        {
            turn.End();
        }
    }
}
