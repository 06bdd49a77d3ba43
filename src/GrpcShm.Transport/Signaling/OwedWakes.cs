namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The wake-ups that the code on a reactor owes to peers. The leader pays them before it sleeps, before its loop ends,
/// and, if it is too busy to sleep, after a number of rounds. So no timer is needed.
/// </summary>
/// <remarks>
/// <code>
/// field             written by                                    read by      ordering
/// _first            owing threads, by compare-and-swap; a thread  the same     full fence
///                   that pays, by exchange for none
/// OwedWake._isOwed  an owing thread (1), a thread that pays (0),  the same     full fence
///                   by exchange
/// OwedWake.Next     the owing thread that set the mark, before    who pays,    by _first
///                   the swap; who pays                            which has taken the list
/// _rounds           the leader                                    the leader   its own
/// </code>
/// <para>A thread owes only while it leads the reactor, or is away from it in foreign code. In the second case another
/// thread may take the loop over at any moment, and sleep. Therefore: list, fence, word of the leadership on the side
/// of the thread that owes; word, fence, list on the side of the thread that takes over. Either the new leader finds
/// the list filled before it sleeps, or the thread that owes finds that it does not lead any more, and pays
/// itself.</para>
/// <para>The flag by which the peer sleeps is not taken while the wake-up is owed. So whoever sends something else to
/// the peer meanwhile finds the flag, and wakes it. Then there is nothing left to pay.</para>
/// </remarks>
internal sealed class OwedWakes
{
    /// <summary>
    /// After so many rounds in which the leader did not sleep, it pays. A round serves each target once at most and
    /// takes a few microseconds, so an answer within the usual time comes before that.
    /// </summary>
    public const int MostRounds = 8;

    private OwedWake? _first;
    private int _rounds;

    /// <summary>True if something is owed. May change at once.</summary>
    public bool HasAny => Volatile.Read(ref _first) is not null;

    /// <summary>Notes a wake-up whose mark the caller has set.</summary>
    public void Add(OwedWake wake)
    {
        var first = Volatile.Read(ref _first);
        while (true)
        {
            wake.Next = first;
            var seen = Interlocked.CompareExchange(ref _first, wake, first);
            if (seen == first)
            {
                return;
            }

            first = seen;
        }
    }

    /// <summary>Pays all that is owed. Any thread.</summary>
    public void Pay()
    {
        if (!HasAny)
        {
            return;
        }

        var next = Interlocked.Exchange(ref _first, null);
        while (next is { } wake)
        {
            // Before it is paid: from then on it may be owed again, in another list.
            next = wake.Next;
            wake.Next = null;
            wake.Pay();
        }
    }

    /// <summary>Pays if too many rounds have gone by since something was owed. By the leader, each round.</summary>
    public void CountRound()
    {
        if (!HasAny)
        {
            _rounds = 0;
        }
        else if (++_rounds >= MostRounds)
        {
            _rounds = 0;
            Pay();
        }
    }
}
