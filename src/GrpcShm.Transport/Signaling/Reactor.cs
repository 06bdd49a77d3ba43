using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// One loop that waits for the doorbells and sockets of many connections and serves those that have something. While
/// nothing happens it makes no system call and no wake-up: it waits without a time-out. Only if there is nothing to
/// wait for it waits for some time, and then it ends.
/// </summary>
/// <remarks>
/// <para>Targets are served in the order of their events. A target that uses up its turn goes to the end of a queue,
/// and the poller is asked between two rounds of that queue, so that a busy ring starves neither the other rings, nor
/// the news of a peer's death, nor a new client.</para>
/// <para>Foreign code does not run in a round but after it, while the leader is away: see
/// <see cref="ReactorWorkQueue"/> and <see cref="ReactorLeadership"/>. The loop's state is in this object and its
/// parts and not on the stack of a thread, so that another thread can take the loop over meanwhile.</para>
/// </remarks>
internal sealed class Reactor
{
    // So many operations of one target complete at once before the others have their turn.
    private const int OperationsPerTurn = 32;

    private readonly string _name;
    private readonly Func<ThreadWatch> _watchThread;
    private readonly Queue<IReactorTarget> _unfinished = new();
    private readonly OwedWakes _owed = new();
    private readonly ReactorLeadership _leadership;
    private readonly ReactorLife _life;
    private readonly ReactorWorkQueue _work;
    private readonly ReactorWait _wait;
    private int _budget;

    /// <summary>Creates a reactor, which runs from its first registration on.</summary>
    /// <param name="createPoller">Makes the poller to wait with, each time that the loop begins to run.</param>
    /// <param name="name">The name of its threads.</param>
    /// <param name="wait">How it waits.</param>
    /// <param name="watchThread">Makes an object that watches whether the calling thread runs.</param>
    /// <param name="idleTime">How long it goes on when nothing is registered any more.</param>
    public Reactor(
        Func<Poller> createPoller,
        string name,
        AdaptiveWait wait,
        Func<ThreadWatch> watchThread,
        Func<TimeSpan> idleTime)
    {
        _name = name;
        _watchThread = watchThread;
        _leadership = new ReactorLeadership(this, _owed);
        _life = new ReactorLife(name, createPoller, StartThread, idleTime, _leadership);
        _work = new ReactorWorkQueue(_leadership, _life.Gate, name);
        _wait = new ReactorWait(_life, _unfinished, wait, _owed);
    }

    /// <summary>
    /// The reactor that the calling thread leads right now, if any. None while that thread is away in foreign code.
    /// </summary>
    public static Reactor? Running => ReactorLeadership.Running;

    public AdaptiveWait Waiting => _wait.Adaptive;

    public SpinTrust Trust => _wait.Trust;

    /// <summary>Which thread leads. For the sentinel.</summary>
    public ReactorLeadership Leadership => _leadership;

    /// <summary>True if there is a thread that leads.</summary>
    public bool IsRunning => _life.IsRunning;

    /// <summary>
    /// Names the sentinel that watches this reactor, before it runs. Without one, all work goes to the thread pool.
    /// </summary>
    public void WatchBy(Sentinel sentinel) => _leadership.WatchBy(sentinel);

    /// <summary>
    /// Lets the reactor wake a peer later that sleeps, if the calling thread leads it, or runs foreign code for it. It
    /// wakes the peer, if that still sleeps, before it sleeps itself, and after
    /// <see cref="OwedWakes.MostRounds"/> rounds at the latest. Call it when the peer can see what it is woken for.
    /// </summary>
    /// <returns>True if the reactor will do so; if not, the caller has to wake the peer.</returns>
    public static bool TryOwe(OwedWake wake) => ReactorLeadership.TryOwe(wake);

    /// <summary>Watches a doorbell or a socket. Any thread.</summary>
    /// <exception cref="IOException">The system has no room for another, or no thread to serve it.</exception>
    public ReactorRegistration Register(IPollSource source, IReactorTarget target) =>
        new(this, source, _life.Register(source, target));

    /// <summary>Stops watching. A call to the target may still be under way. Any thread.</summary>
    public void Unregister(IPollSource source, ulong token) => _life.Unregister(source, token);

    /// <summary>Lets a loop that has nothing to serve look at once whether its time is over. Any thread.</summary>
    public void EndIfIdle() => _life.WakeIfIdle();

    /// <summary>
    /// Takes one operation off the turn of the target that is being served. When none is left, the caller has to
    /// <see cref="Resume"/> instead of going on. Only on this reactor's thread.
    /// </summary>
    public bool TrySpend() => --_budget >= 0;

    /// <summary>
    /// Leaves it to the reactor to ask for doorbells for a target that has nothing left. The reactor asks when it is
    /// about to sleep, and until then looks at the rings by itself. Only on this reactor's thread.
    /// </summary>
    /// <returns>True if the reactor will ask; if not, the target has to ask by itself.</returns>
    public bool TryDeferSleep(IRingTarget target) => _wait.TryDeferSleep(target);

    /// <summary>
    /// Says that a peer is about to answer over a socket: for a moment the reactor looks by itself before it sleeps, as
    /// it does with rings. Any thread; a call from a thread that does not lead may come too late.
    /// </summary>
    public void ExpectSoon() => _wait.ExpectSoon();

    /// <summary>Gives a target another turn in the next round. Only on this reactor's thread.</summary>
    public void Resume(IReactorTarget target) => _unfinished.Enqueue(target);

    /// <summary>Queues work to be run after this round. Only on this reactor's thread, while it leads.</summary>
    /// <returns>True if the work will be run here; if not, the thread pool has to.</returns>
    public bool TryQueue(ReactorWork work) => _work.TryAdd(work);

    /// <summary>Gives the loop to another thread, if its leader is still away since that sequence number.</summary>
    /// <param name="word">The sequence number.</param>
    /// <param name="isItsFault">True if the work that the leader runs holds it up, so that such work had better run
    /// elsewhere.</param>
    public void TakeOver(long word, bool isItsFault)
    {
        // First the thread, since the system may have none: then the thread that is away stays the leader.
        var turn = _life.TakeThread();
        if (_leadership.TryTakeOver(word, isItsFault))
        {
            turn.Give();
        }
        else
        {
            _life.GiveBack(turn);
        }
    }

    /// <summary>Logs that no other thread could take the place of a thread that is held up.</summary>
    public void LogFailedTakeOver(Exception exception) =>
        ReactorTargets.Log(
            _life.Targets(), logger => Log.TakeOverFailed(logger, _name, exception.Message, exception));

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

    /// <summary>Leads the loop, as often as it is this thread's turn.</summary>
    private void Run(ReactorTurn turn)
    {
        using (turn)
        {
            var watch = WatchThread();
            while (turn.Wait() && Lead(watch) && _life.TryKeep(turn))
            {
            }
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
            // The system does not tell. Then a thread that lacks a processor is overtaken too early, no more.
            return UnknownThreadWatch.Instance;
        }
    }

    /// <summary>Leads the loop until another thread does, or until the loop ends.</summary>
    /// <returns>True if another thread leads.</returns>
    private bool Lead(ThreadWatch watch)
    {
        try
        {
            _leadership.Begin(watch);

            // A thread that was overtaken may have come back in the state that foreign code left it in.
            CleanThread.Restore(_name);

            // First the work that the last leader has left behind: the poller may have no news for a long time, and
            // the thread that is away may be waiting for just that work.
            while (_work.Run())
            {
                if (_life.SeemsIdle && TryEnd())
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

    /// <summary>One round: waits, serves the targets with events, and each target that was not done.</summary>
    private void RunRound()
    {
        foreach (var happened in _wait.Wait())
        {
            if (_life.Find(happened.Token) is { } target)
            {
                Serve(target);
            }
        }

        // One turn each. Those that are not done queue up again, and the poller is asked in between.
        for (var turns = _unfinished.Count; turns > 0; turns--)
        {
            Serve(_unfinished.Dequeue());
        }
    }

    private void Serve(IReactorTarget target)
    {
        _budget = OperationsPerTurn;
        try
        {
            target.OnReady(this);
            _wait.AddServed(target);
        }
        catch (Exception exception)
        {
            ReactorTargets.Fault(target, exception);
        }
    }

    /// <summary>Ends the loop if there has been nothing to serve for long enough. By the leader.</summary>
    private bool TryEnd()
    {
        Poller poller;
        lock (_life.Gate)
        {
            if (_unfinished.Count > 0 || _life.MillisecondsToWait() != 0)
            {
                return false;
            }

            _wait.Forget();
            poller = _life.Detach();
        }

        _owed.Pay();
        poller.Dispose();
        return true;
    }

    /// <summary>
    /// Ends the loop because it failed. By the leader. Queued work goes to the pool; the targets are told the reason,
    /// and whatever registers from here on gets a new loop.
    /// </summary>
    private void Fail(Exception exception)
    {
        ReactorLeadership.Stop();
        Poller poller;
        List<IReactorTarget> targets;
        IRingTarget[] spinning;
        ReactorWork[] work;
        lock (_life.Gate)
        {
            targets = _life.RemoveTargets();
            (spinning, work) = (_wait.TakeSpinning(), _work.TakeAll());
            _unfinished.Clear();
            _wait.Forget();
            poller = _life.Detach();
        }

        _owed.Pay();
        poller.Dispose();
        var failure = new ReactorFailedException(_name, exception);
        ReactorTargets.Log(targets, logger => Log.ReactorFailed(logger, _name, failure));
        Array.ForEach(work, static w => w.RunOnPool());

        // First the connections, which tell their peers over the sockets that are among the rest.
        foreach (var target in targets.OrderBy(static t => t is not IRingTarget))
        {
            ReactorTargets.Try(target, () => target.OnReactorFailed(failure));
        }

        // They have leases on their memory.
        Array.ForEach(spinning, target => ReactorTargets.Try(target, () => target.EndSpin()));
    }
}
