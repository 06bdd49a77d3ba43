namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The wake-up of a peer that sleeps though there is something for it. Nobody has to hurry, so it is owed for a while:
/// the peer may be woken for something else meanwhile. See <see cref="OwedWakes"/>.
/// </summary>
internal abstract class OwedWake
{
    private int _isOwed;

    /// <summary>The next one in the list of its reactor. Belongs to whoever has the list, see there.</summary>
    public OwedWake? Next { get; set; }

    /// <summary>Notes that it is owed. After the thing for the peer can be seen. Any thread.</summary>
    /// <returns>True if the caller has to put it into a list; if not, it is in one already.</returns>
    public bool TryOwe() => Interlocked.Exchange(ref _isOwed, 1) == 0;

    /// <summary>Wakes the peer if it still sleeps. By the thread that took it off its list.</summary>
    public void Pay()
    {
        // The mark first, and then the look: whoever finds the mark, and so puts nothing into a list, has shown the
        // peer his thing before, and the look that follows this fence is good for it, too.
        Interlocked.Exchange(ref _isOwed, 0);
        WakePeer();
    }

    /// <summary>Wakes the peer if it still sleeps. Any thread; must not throw.</summary>
    protected abstract void WakePeer();
}
