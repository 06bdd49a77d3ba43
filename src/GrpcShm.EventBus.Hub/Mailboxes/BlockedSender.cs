namespace GrpcShm.EventBus.Mailboxes;

/// <summary>A sender that waits, with its event, for room in a mailbox.</summary>
internal sealed class BlockedSender(Mailbox mailbox, MailItem item, string machineId, long takesBefore)
{
    private readonly TaskCompletionSource<PutResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MailItem Item { get; } = Held(item);

    /// <summary>How often events had been taken out of the mailbox when the sender began to wait.</summary>
    public long TakesBefore { get; } = takesBefore;

    /// <summary>The machine whose inbox the mailbox is; empty for a subscription that is no inbox.</summary>
    public string MachineId { get; } = machineId;

    /// <summary>The subscriber whose mailbox it is; none for a mailbox without a subscriber.</summary>
    public Routing.Subscriber? Subscriber { get; set; }

    /// <summary>True if the sender learns that there was no room; else the subscriber learns it.</summary>
    public bool IsTold => Mailbox.IsSenderTold(Item, MachineId);

    public void Complete(PutResult result) => _source.TrySetResult(result);

    /// <summary>Ends the wait, if it has not ended.</summary>
    public void GiveUp() => mailbox.Withdraw(this, isLate: false);

    /// <summary>Waits for room. <see cref="PutResult.Full"/> if there was none in time.</summary>
    public async ValueTask<PutResult> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return mailbox.Withdraw(this, isLate: true) ? PutResult.Full : await _source.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            mailbox.Withdraw(this, isLate: false);
            throw;
        }
    }

    // The wait may be given up while the mailbox still decides about the event. So it is held, and never released.
    private static MailItem Held(in MailItem item)
    {
        item.Event.Hold();
        return item;
    }
}
