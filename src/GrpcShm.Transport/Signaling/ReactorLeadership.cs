using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Which thread leads a reactor's loop. A thread that leads may run foreign code, because the loop does not belong to
/// the thread. While the leader is away in foreign code, the <see cref="Sentinel"/> may give the loop to another
/// thread. The thread that was away finds that out when it comes back, and becomes a spare.
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
/// the odd number releases that state, and the swap acquires it.
/// </remarks>
/// <param name="reactor">The reactor whose loop it is.</param>
/// <param name="owed">The wake-ups that are owed by the code that runs on the reactor.</param>
internal sealed class ReactorLeadership(Reactor reactor, OwedWakes owed)
{
    /// <summary>
    /// How many threads may be held up in foreign code at once. At that number no more work runs on the reactor until
    /// one of them is back.
    /// </summary>
    public const int MaxOvertaken = 16;

    [ThreadStatic]
    private static Reactor? t_running;

    // What the calling thread leads or is away from, if it has not found out that another thread leads it now.
    [ThreadStatic]
    private static ReactorLeadership? t_led;

    [ThreadStatic]
    private static long t_word;

    private Sentinel? _sentinel;
    private RunProfile? _running;
    private ThreadWatch? _leader;
    private long _word;
    private int _overtaken;

    /// <summary>The reactor that the calling thread leads, if any. None while that thread is away.</summary>
    public static Reactor? Running => t_running;

    /// <summary>The sequence number, see the remarks.</summary>
    public long Word => Volatile.Read(ref _word);

    /// <summary>
    /// The thread that leads. The leader is set before it can be away, so whoever has seen it away may ask.
    /// </summary>
    public ThreadWatch Leader => Volatile.Read(ref _leader)!;

    /// <summary>True if the leader may run foreign code: somebody watches it, and not too many are held up.</summary>
    public bool MayLeave => _sentinel is not null && Volatile.Read(ref _overtaken) < MaxOvertaken;

    /// <summary>True if a sequence number says that the leader is away.</summary>
    public static bool IsAway(long word) => (word & 1) != 0;

    /// <summary>Names the sentinel that watches the leader. Before the loop runs for the first time.</summary>
    public void WatchBy(Sentinel sentinel) => Volatile.Write(ref _sentinel, sentinel);

    /// <summary>Lets the sentinel watch from here on. Before the loop begins to run.</summary>
    public void BeginWatch() => _sentinel?.Begin();

    /// <summary>Ends what <see cref="BeginWatch"/> began.</summary>
    public void EndWatch() => _sentinel?.End();

    /// <inheritdoc cref="Reactor.TryOwe"/>
    public static bool TryOwe(OwedWake wake)
    {
        if (t_led is not { } led)
        {
            return false;
        }

        if (wake.TryOwe())
        {
            led.Owe(wake);
        }

        return true;
    }

    /// <summary>Makes the calling thread, whose turn it is, the leader.</summary>
    public void Begin(ThreadWatch watch)
    {
        Volatile.Write(ref _leader, watch);
        t_running = reactor;
        t_led = this;
        t_word = _word;
    }

    /// <summary>Ends the leadership for good, since the loop ends. By the leader.</summary>
    public static void Stop()
    {
        t_running = null;
        t_led = null;
    }

    /// <summary>Says that the leader is away in foreign code from here on. By the leader.</summary>
    /// <returns>The sequence number of being away, for <see cref="TryComeBack"/>.</returns>
    public long Leave(RunProfile profile)
    {
        Volatile.Write(ref _running, profile);
        var away = _word + 1;
        t_running = null;
        t_word = away;

        // Release: whoever takes over finds the loop's state as it is here. Arming comes after it, see the
        // sentinel.
        Volatile.Write(ref _word, away);
        _sentinel!.Arm();
        return away;
    }

    /// <summary>Says that the thread which was away is back.</summary>
    /// <returns>True if that thread still leads; false if another thread has taken over.</returns>
    public bool TryComeBack(long away)
    {
        if (Interlocked.CompareExchange(ref _word, away + 1, away) != away)
        {
            Interlocked.Decrement(ref _overtaken);
            t_led = null;
            return false;
        }

        t_running = reactor;
        t_word = away + 1;
        return true;
    }

    /// <summary>Forgets which work the leader ran last. By the leader, when it has run all of it.</summary>
    public void ForgetWork() => Volatile.Write(ref _running, null);

    /// <summary>Takes the loop from its leader, if that is still away since a sequence number.</summary>
    /// <param name="word">The sequence number.</param>
    /// <param name="isItsFault">True if the work that the leader runs holds it up, so that such work had better run
    /// elsewhere.</param>
    /// <returns>True if the caller has to let another thread lead.</returns>
    public bool TryTakeOver(long word, bool isItsFault)
    {
        var profile = Volatile.Read(ref _running);
        if (Interlocked.CompareExchange(ref _word, word + 1, word) != word)
        {
            return false;
        }

        // It was work of this profile that the leader was in, since it would have had to change the word before
        // another.
        if (isItsFault)
        {
            profile?.Penalize();
        }

        Interlocked.Increment(ref _overtaken);
        return true;
    }

    private void Owe(OwedWake wake)
    {
        owed.Add(wake);

        // List, fence, word; see the remarks of OwedWakes.
        if (Word != t_word)
        {
            owed.Pay();
        }
    }
}
