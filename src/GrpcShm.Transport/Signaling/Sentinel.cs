using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Watches reactors whose thread is away in foreign code. If a thread stays away for too long, since it blocks,
/// computes, or waits for an event that only this reactor can bring, the sentinel gives the reactor to another thread.
/// </summary>
/// <remarks>
/// <para>The sentinel does not measure time, since a garbage collection or a stopped process makes any time pass. It
/// takes over when it has seen the same sequence number at two looks in a row. It looks every <see cref="Interval"/>
/// while anything happens. After <see cref="QuietLooks"/> looks at which nothing has happened it sleeps without a
/// timer, so an idle process has no wake-ups.</para>
/// <para>A thread that could run and only lacks a processor is not held up by its work: another thread in its place
/// would lack a processor, too. It is given more looks.</para>
/// <code>
/// field    written by                            read by          ordering
/// _running Begin, End, under _wake               the thread       _wake: the thread ends only when it has seen 0 under
///                                                                 it. Begin makes it 1 under it, and starts a thread
/// _hasThread  the same; the thread that ends                      if there is none
/// _armed   sentinel clears, Arm sets             reactors         Dekker with the reactor's word: the reactor stores
///                                                                 its word and loads _armed; the sentinel clears
///                                                                 _armed, fences all processors, and loads the words
/// </code>
/// <para>Only the sentinel makes the fence (<see cref="Interlocked.MemoryBarrierProcessWide"/>). It costs the sentinel
/// some microseconds each time it goes to sleep, and costs the reactors nothing.</para>
/// </remarks>
internal sealed class Sentinel
{
    private const int QuietLooks = 16;

    // After these looks it may be that only this reactor can bring the processor back.
    private const int MostExtraLooks = 8;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    private readonly Reactor[] _reactors;
    private readonly long[] _seen;
    private readonly int[] _extraLooks;
    private readonly object _wake = new();
    private int _armed;
    private int _running;
    private bool _hasThread;
    private bool _hasTold;
    private long _looks;

    public Sentinel(Reactor[] reactors)
    {
        _reactors = reactors;
        _seen = new long[reactors.Length];
        _extraLooks = new int[reactors.Length];
    }

    /// <summary>How often the sentinel has looked. The number stays the same while the sentinel sleeps.</summary>
    public long Looks => Volatile.Read(ref _looks);

    /// <summary>Whether the sentinel's thread runs.</summary>
    public bool HasThread
    {
        get
        {
            lock (_wake)
            {
                return _hasThread;
            }
        }
    }

    /// <summary>Counts a reactor that begins to run.</summary>
    public void Begin()
    {
        lock (_wake)
        {
            if (!_hasThread)
            {
                new Thread(Run) { IsBackground = true, Name = "GrpcShm sentinel" }.UnsafeStart();
                _hasThread = true;
            }

            _running++;
        }
    }

    /// <summary>Counts a reactor as ended. When the last reactor has ended, the sentinel's thread ends.</summary>
    public void End()
    {
        lock (_wake)
        {
            if (--_running == 0)
            {
                Monitor.Pulse(_wake);
            }
        }
    }

    /// <summary>
    /// Makes sure that the sentinel watches. A reactor calls this after it has said that its thread is away.
    /// </summary>
    public void Arm()
    {
        if (Volatile.Read(ref _armed) == 0 && Interlocked.Exchange(ref _armed, 1) == 0)
        {
            while (!TryPulse())
            {
            }
        }
    }

    private void Run()
    {
        while (WaitUntilArmed())
        {
            for (var quiet = 0; quiet < QuietLooks;)
            {
                Thread.Sleep(Interval);
                quiet = Look() ? 0 : quiet + 1;
                if (quiet == QuietLooks)
                {
                    Volatile.Write(ref _armed, 0);
                    Interlocked.MemoryBarrierProcessWide();
                    if (Look() && Interlocked.Exchange(ref _armed, 1) == 0)
                    {
                        quiet = 0;
                    }
                }
            }
        }
    }

    private bool TryPulse()
    {
        try
        {
            lock (_wake)
            {
                Monitor.Pulse(_wake);
                return true;
            }
        }
        catch (ThreadInterruptedException)
        {
            // Foreign code that once ran on this thread has kept a reference to it, and interrupts it now. The thread
            // does not run that code any more, and the reactor has said already that its thread is away.
            return false;
        }
    }

    /// <returns>Whether there is a reactor to watch; else the thread has to end.</returns>
    private bool WaitUntilArmed()
    {
        lock (_wake)
        {
            while (Volatile.Read(ref _armed) == 0)
            {
                if (_running == 0)
                {
                    _hasThread = false;
                    return false;
                }

                Monitor.Wait(_wake);
            }

            return true;
        }
    }

    /// <summary>Looks at all reactors, and takes over those whose thread has been away since the last look.</summary>
    /// <returns>Whether anything happens.</returns>
    private bool Look()
    {
        Volatile.Write(ref _looks, _looks + 1);
        var isActive = false;
        for (var i = 0; i < _reactors.Length; i++)
        {
            var word = _reactors[i].Leadership.Word;
            isActive |= word != _seen[i] || ReactorLeadership.IsAway(word);
            if (ReactorLeadership.IsAway(word))
            {
                LookAtAway(i, word);
            }

            _seen[i] = word;
        }

        return isActive;
    }

    private void LookAtAway(int index, long word)
    {
        var reactor = _reactors[index];
        if (word != _seen[index])
        {
            _extraLooks[index] = 0;
            Note(reactor.Leadership.Leader);
            return;
        }

        // The question is about the thread that was away at this word. If it has come back meanwhile, the take-over
        // fails.
        var isKept = IsKeptFromProcessor(reactor);
        if (!isKept || ++_extraLooks[index] > MostExtraLooks)
        {
            TakeOver(reactor, word, isItsFault: !isKept);
        }
    }

    private static void Note(ThreadWatch leader)
    {
        try
        {
            leader.Note();
        }
        catch (Exception)
        {
            // Nothing is known of the thread, and the next question fails as well.
        }
    }

    private static bool IsKeptFromProcessor(Reactor reactor)
    {
        try
        {
            return reactor.Leadership.Leader.IsKeptFromProcessor(Interval);
        }
        catch (Exception)
        {
            // Nothing is known of the thread.
            return false;
        }
    }

    private void TakeOver(Reactor reactor, long word, bool isItsFault)
    {
        try
        {
            reactor.TakeOver(word, isItsFault);
            _hasTold = false;
        }
        catch (Exception exception)
        {
            // The system gives no thread. The thread that is away still leads, and the next look tries again.
            if (!_hasTold)
            {
                _hasTold = true;
                reactor.LogFailedTakeOver(exception);
            }
        }
    }
}
