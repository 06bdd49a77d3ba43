using System.Diagnostics;
using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// The work that is left after one sender's events were put into mailboxes: writers to wake, and mailboxes to wait for.
/// One sender uses it at a time. It is reused.
/// </summary>
internal sealed class RoutingContext
{
    private readonly List<Outbox> _touched = [];
    private readonly List<BlockedSender> _blocked = [];

    public bool MustWait => _blocked.Count > 0;

    public void AddTouched(Outbox outbox)
    {
        // Most batches go to one or two streams. Waking a stream twice costs little and does no harm.
        if (_touched.Count == 0 || _touched[^1] != outbox)
        {
            _touched.Add(outbox);
        }
    }

    public void AddBlocked(BlockedSender sender) => _blocked.Add(sender);

    /// <summary>Wakes the writers. Call it outside of all locks.</summary>
    public void SignalAll()
    {
        for (var i = 0; i < _touched.Count; i++)
        {
            _touched[i].Signal();
        }

        _touched.Clear();
    }

    /// <summary>Waits for room in the mailboxes that were full.</summary>
    /// <returns>
    /// The verdict on the inbox that there was no room in, if any; how many mailboxes took the event in the end.
    /// </returns>
    public async ValueTask<(Verdict Verdict, int Accepted)> WaitForRoomAsync(
        EventBusOptions options, CancellationToken cancellationToken)
    {
        // The writers must run before senders wait for them.
        SignalAll();
        var started = Stopwatch.GetTimestamp();
        var verdict = Verdict.Ok;
        var accepted = 0;
        try
        {
            foreach (var sender in _blocked)
            {
                // One bound for all of them: many full mailboxes hold a sender up for no longer than one. A sender
                // waits longer for its target than for a subscription that only gets a copy or is one of many.
                var most = sender.IsTold || options.MaxCopyBlockTime > options.MaxBlockTime
                    ? options.MaxBlockTime
                    : options.MaxCopyBlockTime;
                var left = most - Stopwatch.GetElapsedTime(started);
                var result = await sender
                    .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
                accepted += result == PutResult.Accepted ? 1 : 0;
                if (result == PutResult.Full && !sender.IsTold)
                {
                    sender.Subscriber?.NoteMissedEvent(this);
                }

                if (sender.IsTold && verdict.IsOk)
                {
                    verdict = result switch
                    {
                        PutResult.Full => Verdict.Full(sender.MachineId),
                        PutResult.Closed => Verdict.NotFound(sender.MachineId),
                        _ => Verdict.Ok,
                    };
                }
            }
        }
        finally
        {
            // A sender that gives up waits at no mailbox any more, nor at those that this loop has not come to.
            foreach (var sender in _blocked)
            {
                sender.GiveUp();
            }

            _blocked.Clear();
            SignalAll();
        }

        return (verdict, accepted);
    }
}
