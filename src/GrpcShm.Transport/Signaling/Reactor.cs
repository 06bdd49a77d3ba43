using System.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// One thread that waits for the doorbells and sockets of many connections and runs what they lead to. While nothing
/// happens it makes no system call and no wake-up: it waits without a time-out, except where there is nothing to wait
/// for, and then it ends.
/// </summary>
/// <remarks>
/// <para>Targets are served in the order of their events. One that uses up its turn goes to the end of a queue, and the
/// poller is asked between two rounds of that queue, so that a busy ring starves neither the other rings, nor the news
/// of a peer's death, nor a new client.</para>
/// <para>What runs foreign code is not run while the loop leads but after a round, while it is away; see the other
/// part of this class. The loop's state is in this object and not on its thread's stack, so that another thread can
/// take the loop over meanwhile.</para>
/// </remarks>
internal sealed partial class Reactor
{
    // So many operations of one target complete at once before the others have their turn.
    private const int OperationsPerTurn = 32;

    // How long to look for what is expected: about what it takes a peer that is awake to answer.
    private static readonly long ExpectTicks = Stopwatch.Frequency / 1_000_000 * 50;

    // To look at more rings than this takes longer than a doorbell.
    private const int MaxSpinTargets = 16;

    [ThreadStatic]
    private static Reactor? t_running;

    private readonly ReactorSlots _slots = new();
    private readonly AdaptiveWait _wait;
    private readonly SpinTrust _trust;
    private readonly Queue<IReactorTarget> _unfinished = new();
    private readonly List<IRingTarget> _served = new(MaxSpinTargets);
    private readonly List<IRingTarget> _spinning = new(MaxSpinTargets);
    private readonly PollEvent[] _events = new PollEvent[64];
    private bool _servesCalls;
    private int _budget;
    private long _expectUntil;

    /// <summary>Creates a reactor, which runs from its first registration on.</summary>
    /// <param name="createPoller">Makes what it waits with, each time that it begins to run.</param>
    /// <param name="name">Its threads' name.</param>
    /// <param name="wait">How it waits.</param>
    /// <param name="watchThread">Makes what tells of the calling thread's running.</param>
    /// <param name="idleTime">For how long it goes on when nothing is registered any more.</param>
    public Reactor(
        Func<Poller> createPoller, string name, AdaptiveWait wait, Func<ThreadWatch> watchThread, Func<TimeSpan> idleTime)
    {
        _createPoller = createPoller;
        _wait = wait;
        _trust = new SpinTrust(wait.SpinTicks);
        _name = name;
        _watchThread = watchThread;
        _idleTime = idleTime;
    }

    /// <summary>
    /// The reactor that this thread leads right now, if it does. Not while it is away in foreign code.
    /// </summary>
    public static Reactor? Running => t_running;

    public AdaptiveWait Waiting => _wait;

    public SpinTrust Trust => _trust;

    /// <summary>
    /// Takes one operation off the turn of the target that is being served. When none is left, the caller has to
    /// <see cref="Resume"/> instead of going on. Only on this reactor's thread.
    /// </summary>
    public bool TrySpend() => --_budget >= 0;

    /// <summary>
    /// Leaves it to the reactor to ask for doorbells for a target that has nothing left, when it is about to sleep:
    /// until then it looks by itself. Only on this reactor's thread.
    /// </summary>
    /// <returns>Whether it will; if not, the target has to ask by itself.</returns>
    public bool TryDeferSleep(IRingTarget target)
    {
        if (!_served.Contains(target))
        {
            if (_served.Count == MaxSpinTargets)
            {
                return false;
            }

            _served.Add(target);
        }

        _servesCalls = true;
        return true;
    }

    /// <summary>
    /// Says that a peer is about to answer over a socket: for a moment the reactor looks by itself before it sleeps, as
    /// it does with rings. Any thread; one that does not lead may come too late.
    /// </summary>
    public void ExpectSoon() => Volatile.Write(ref _expectUntil, Stopwatch.GetTimestamp() + ExpectTicks);

    /// <summary>Gives a target another turn in the next round. Only on this reactor's thread.</summary>
    public void Resume(IReactorTarget target) => _unfinished.Enqueue(target);

    /// <summary>One round: waits, serves who has something, and each of those that were not done.</summary>
    private void RunRound()
    {
        var count = WaitForEvents();
        for (var i = 0; i < count; i++)
        {
            if (_slots.Find(_events[i].Token) is { } target)
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

    private int WaitForEvents()
    {
        if (_unfinished.Count > 0)
        {
            return _poller!.Wait(_events, block: false);
        }

        if (_served.Count == 0)
        {
            return WaitForNews();
        }

        return _servesCalls ? WaitForCalls() : WaitForBytes();
    }

    /// <summary>Waits where no ring was served.</summary>
    private int WaitForNews()
    {
        var until = Volatile.Read(ref _expectUntil);
        while (_wait.IsEnabled && until != 0 && Stopwatch.GetTimestamp() < until)
        {
            if (_poller!.Wait(_events, block: false) is > 0 and var count)
            {
                return count;
            }

            Thread.Yield();
        }

        return _poller!.Wait(_events, MillisecondsToWait());
    }

    /// <summary>Waits where calls run to completion: one spins as long as that pays.</summary>
    private int WaitForCalls()
    {
        var budget = _wait.IsEnabled ? _trust.NextBudget() : 0;
        var started = Stopwatch.GetTimestamp();
        var found = SpinFor(budget, started, out var count);
        _served.Clear();
        _servesCalls = false;
        if (budget > 0)
        {
            _trust.Record(found, Stopwatch.GetTimestamp() - started - budget);
        }

        return found ? count : _poller!.Wait(_events, MillisecondsToWait());
    }

    /// <summary>Waits where bytes are carried, which is done as has proved best.</summary>
    private int WaitForBytes()
    {
        var started = Stopwatch.GetTimestamp();
        var count = 0;
        var paid = _wait.Strategy == WaitStrategy.Spin && SpinFor(_wait.SpinTicks, started, out count);
        _served.Clear();
        if (!paid)
        {
            count = _poller!.Wait(_events, MillisecondsToWait());
            if (_wait.Strategy == WaitStrategy.Coalesce)
            {
                // The flags of those that rang are down: what comes meanwhile comes without a doorbell.
                _poller.Pause();
            }
        }

        _wait.Record(Stopwatch.GetTimestamp(), paid);
        return count;
    }

    private void Serve(IReactorTarget target)
    {
        _budget = OperationsPerTurn;
        try
        {
            target.OnReady(this);
            if (_wait.IsEnabled && target is IRingTarget rings)
            {
                _wait.AddProgress(rings.TakeProgress());
                if (_served.Count < MaxSpinTargets && !_served.Contains(rings))
                {
                    _served.Add(rings);
                }
            }
        }
        catch (Exception exception)
        {
            Fault(target, exception);
        }
    }

    private static void Fault(IReactorTarget target, Exception exception)
    {
        try
        {
            target.OnFault(exception);
        }
        catch (Exception)
        {
            // A target ends itself before it logs, so this is a logger that throws. There is nobody left to tell, and
            // on this thread it would end the process and with it everybody else's connections.
        }
    }

    /// <summary>Looks at the rings that were served last, for as long as the budget lasts.</summary>
    /// <param name="budget">How long, in ticks of <see cref="Stopwatch"/>.</param>
    /// <param name="started">When it began.</param>
    /// <param name="count">How many events of the poller there are.</param>
    /// <returns>Whether there is something: events, or targets in the queue.</returns>
    private bool SpinFor(long budget, long started, out int count)
    {
        foreach (var target in _served)
        {
            if (target.BeginSpin())
            {
                _spinning.Add(target);
            }
        }

        count = 0;
        if (_spinning.Count > 0 && budget > 0)
        {
            while (!PeekAll())
            {
                // Deaths, new clients, and rings that are not looked at.
                if ((count = _poller!.Wait(_events, block: false)) > 0 || Stopwatch.GetTimestamp() - started > budget)
                {
                    break;
                }

                Thread.Yield();
            }
        }

        foreach (var target in _spinning)
        {
            if (target.EndSpin())
            {
                _unfinished.Enqueue(target);
            }
        }

        _spinning.Clear();
        return count > 0 || _unfinished.Count > 0;
    }

    private bool PeekAll()
    {
        // So many looks cost about as much as one question to the poller.
        for (var i = 0; i < 16; i++)
        {
            foreach (var target in _spinning)
            {
                if (target.Peek())
                {
                    return true;
                }
            }

            Thread.SpinWait(2);
        }

        return false;
    }
}
