using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>The groups of a machine and the bounds of its inbox, or the bounds of another subscription.</summary>
public sealed class MachineOptions
{
    /// <summary>The groups that the machine is a member of. Only a machine can have groups.</summary>
    /// <remarks>Defaults to none.</remarks>
    public IReadOnlyCollection<string> Groups { get; init; } = [];

    /// <summary>How many events may wait at the hub. As many more may be on their way to the handler.</summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 0: the hub's own default.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MailboxCapacity
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>
    /// What happens to an event that comes when the mailbox is full. Only a machine may have its senders wait. For
    /// another subscription the hub refuses that with <c>PermissionDenied</c>, unless its options allow it.
    /// </summary>
    /// <remarks>
    /// Defaults to <see cref="OverflowPolicy.Unspecified"/>: the senders of a machine wait, every other subscription
    /// drops the oldest event.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public OverflowPolicy OverflowPolicy
    {
        get;
        init => field = Choices.Check(value, nameof(OverflowPolicy));
    }

    /// <summary>The settings that the hub is asked for; none if it may choose.</summary>
    internal MailboxSettings? ToMailbox() => MailboxCapacity > 0 || OverflowPolicy != OverflowPolicy.Unspecified
        ? new MailboxSettings { Capacity = (uint)MailboxCapacity, OverflowPolicy = OverflowPolicy }
        : null;
}
