using System.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// How a reactor's leader waits for the next round. Before the leader sleeps it looks at the rings that it served
/// last, as far as that pays, and asks their peers for doorbells.
/// </summary>
/// <remarks>
/// Only the leader uses it, except for <see cref="ExpectSoon"/>, and for what diagnostics and handshakes read of
/// <see cref="Adaptive"/> and <see cref="Trust"/>.
/// </remarks>
internal sealed class ReactorWait
{
    /// <summary>To look at more rings than this takes longer than a doorbell.</summary>
    public const int MaxSpinTargets = 16;

    // How many looks at rings take place before the poller is asked and other threads get the processor: some 3 µs, two
    // to three times as long as these two system calls. With 16 of them a call that waits for its answer took 8 %
    // longer, since it was in a system call half of the time.
    private const int LooksInARow = 96;

    // After so many waits in a row that found something in the rings the poller is asked.
    private const int MostUnasked = 16;

    // How long to look for an expected answer: about as long as a peer that is awake takes to answer.
    private static readonly long ExpectTicks = Stopwatch.Frequency / 1_000_000 * 50;

    // How long the leader looks at rings before it pays what is owed. A peer that is awake mostly answers within that
    // time, and its answer pays. To wait for longer would keep asleep a peer that may have something to say: with the
    // whole spin, a client that waits for each answer found the hub asleep each time. Meanwhile the leader does not
    // yield, since on a busy machine it would get the processor back after milliseconds.
    private static readonly long OwedTicks = Stopwatch.Frequency / 1_000_000 * 8;

    // See Poller.Pause.
    private static readonly long PauseTicks = Stopwatch.Frequency / 1_000_000 * 70;

    private readonly ReactorLife _life;
    private readonly Queue<IReactorTarget> _unfinished;
    private readonly AdaptiveWait _adaptive;
    private readonly SpinTrust _trust;
    private readonly OwedWakes _owed;
    private readonly List<IRingTarget> _served = new(MaxSpinTargets);
    private readonly List<IRingTarget> _spinning = new(MaxSpinTargets);
    private readonly PollEvent[] _events = new PollEvent[64];
    private bool _servesCalls;
    private int _unasked;
    private long _expectUntil;

    /// <param name="life">Has the poller to wait on, and says for how long.</param>
    /// <param name="unfinished">The reactor's queue of targets that have another turn.</param>
    /// <param name="adaptive">Decides how to wait where bytes are carried.</param>
    /// <param name="owed">The wake-ups to pay before the leader sleeps.</param>
    public ReactorWait(
        ReactorLife life, Queue<IReactorTarget> unfinished, AdaptiveWait adaptive, OwedWakes owed)
    {
        _owed = owed;
        _life = life;
        _unfinished = unfinished;
        _adaptive = adaptive;
        _trust = new SpinTrust(adaptive.SpinTicks);
    }

    /// <summary>Decides how to wait where bytes are carried.</summary>
    public AdaptiveWait Adaptive => _adaptive;

    /// <summary>Decides how to wait where calls run to completion.</summary>
    public SpinTrust Trust => _trust;

    /// <inheritdoc cref="Reactor.TryDeferSleep"/>
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

    /// <inheritdoc cref="Reactor.ExpectSoon"/>
    public void ExpectSoon() => Volatile.Write(ref _expectUntil, Stopwatch.GetTimestamp() + ExpectTicks);

    /// <summary>Notes that a target has been served, so that the leader looks at its rings before it sleeps.</summary>
    public void AddServed(IReactorTarget target)
    {
        if (_adaptive.IsEnabled && target is IRingTarget rings)
        {
            _adaptive.AddProgress(rings.TakeProgress());
            if (_served.Count < MaxSpinTargets && !_served.Contains(rings))
            {
                _served.Add(rings);
            }
        }
    }

    /// <summary>Waits for something to do.</summary>
    /// <returns>
    /// The events that the poller has reported; may be none. Valid until the next wait, on this thread alone.
    /// </returns>
    public ReadOnlySpan<PollEvent> Wait() => _events.AsSpan(0, WaitForEvents());

    /// <summary>
    /// Forgets what has been served, since the loop ends. A reactor that serves nothing must keep nothing alive.
    /// </summary>
    public void Forget()
    {
        _served.Clear();
        _servesCalls = false;
    }

    /// <summary>Takes out the targets that are being looked at, for the loop has failed in the middle of it.</summary>
    /// <returns>The targets whose <see cref="IRingTarget.EndSpin"/> has not been called.</returns>
    public IRingTarget[] TakeSpinning()
    {
        var spinning = _spinning.ToArray();
        _spinning.Clear();
        return spinning;
    }

    private int WaitForEvents()
    {
        _owed.CountRound();
        if (_unfinished.Count > 0)
        {
            StopSparing();
            return _life.Poller!.Wait(_events, block: false);
        }

        if (_served.Count == 0)
        {
            return WaitForNews();
        }

        return _servesCalls ? WaitForCalls() : WaitForBytes();
    }

    /// <summary>
    /// Asks the peers of calls for doorbells, since others are not done, maybe for long: meanwhile nobody would look at
    /// the rings of those that are.
    /// </summary>
    private void StopSparing()
    {
        if (_servesCalls)
        {
            SpinFor(0, 0, out _);
            _served.Clear();
            _servesCalls = false;
        }
    }

    /// <summary>Waits where no ring was served.</summary>
    private int WaitForNews()
    {
        // Before it yields.
        _owed.Pay();
        var until = Volatile.Read(ref _expectUntil);
        while (_adaptive.IsEnabled && until != 0 && Stopwatch.GetTimestamp() < until)
        {
            if (_life.Poller!.Wait(_events, block: false) is > 0 and var count)
            {
                return count;
            }

            Thread.Yield();
        }

        return Sleep();
    }

    /// <summary>Sleeps until the poller has news. Until then nobody would pay what is owed.</summary>
    private int Sleep()
    {
        _owed.Pay();
        return _life.Poller!.Wait(_events, _life.MillisecondsToWait());
    }

    /// <summary>Waits where calls run to completion: the leader spins as long as that pays.</summary>
    private int WaitForCalls()
    {
        var budget = _adaptive.IsEnabled ? _trust.NextBudget() : 0;
        var started = Stopwatch.GetTimestamp();
        var found = SpinFor(budget, started, out var count);
        _served.Clear();
        _servesCalls = false;
        if (budget > 0)
        {
            _trust.Record(found, Stopwatch.GetTimestamp() - started - budget);
        }

        if (found)
        {
            AskNowAndThen(ref count);
            return count;
        }

        return Sleep();
    }

    /// <summary>Waits where bytes are carried, by the strategy that has proved best.</summary>
    private int WaitForBytes()
    {
        var count = 0;
        var paid = false;
        long? late = null;
        if (_adaptive.Strategy == WaitStrategy.Spin)
        {
            var started = Stopwatch.GetTimestamp();
            paid = SpinFor(_adaptive.SpinTicks, started, out count);
            var over = Stopwatch.GetTimestamp() - started - _adaptive.SpinTicks;

            // A spin that found nothing before its time was over had nothing to look at, and says nothing.
            late = paid || over >= 0 ? over : null;
        }

        _served.Clear();
        if (paid)
        {
            AskNowAndThen(ref count);
        }
        else
        {
            var poller = _life.Poller!;
            count = Sleep();
            if (_adaptive.Strategy == WaitStrategy.Coalesce)
            {
                // The peers that rang have lowered their flags: more bytes come meanwhile without a doorbell.
                var started = Stopwatch.GetTimestamp();
                poller.Pause();
                late = Stopwatch.GetTimestamp() - started - PauseTicks;
            }
        }

        _adaptive.Record(Stopwatch.GetTimestamp(), paid, late);
        return count;
    }

    /// <summary>Looks at the rings that were served last, for as long as the budget lasts.</summary>
    /// <param name="budget">How long, in ticks of <see cref="Stopwatch"/>.</param>
    /// <param name="started">When the look began.</param>
    /// <param name="count">The number of the poller's events.</param>
    /// <returns>True if there is something to do: events, or targets in the queue.</returns>
    private bool SpinFor(long budget, long started, out int count)
    {
        foreach (var target in _served)
        {
            // A target that is not done is served in any case, once.
            if (!_unfinished.Contains(target) && target.BeginSpin())
            {
                _spinning.Add(target);
            }
        }

        count = 0;
        if (_spinning.Count > 0 && budget > 0)
        {
            while (!PeekAll())
            {
                if (_owed.HasAny && !PayInTime(started))
                {
                    continue;
                }

                // Deaths, new clients, and rings that are not looked at.
                count = Ask();
                if (count > 0 || Stopwatch.GetTimestamp() - started > budget)
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

    /// <summary>Pays what is owed if the look has taken long enough.</summary>
    private bool PayInTime(long started)
    {
        if (Stopwatch.GetTimestamp() - started < OwedTicks)
        {
            return false;
        }

        _owed.Pay();
        return true;
    }

    /// <summary>
    /// Asks the poller, though there is something in the rings, if that was so in many waits in a row. Else one busy
    /// peer would hide deaths, new clients and the doorbells of all others.
    /// </summary>
    /// <param name="count">The number of the poller's events.</param>
    private void AskNowAndThen(ref int count)
    {
        if (count == 0 && ++_unasked >= MostUnasked)
        {
            count = Ask();
        }
    }

    private int Ask()
    {
        _unasked = 0;
        return _life.Poller!.Wait(_events, block: false);
    }

    private bool PeekAll()
    {
        for (var looks = LooksInARow / _spinning.Count; looks > 0; looks--)
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
