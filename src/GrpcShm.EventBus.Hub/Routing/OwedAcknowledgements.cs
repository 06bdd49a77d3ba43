namespace GrpcShm.EventBus.Routing;

/// <summary>The senders that wait for a subscriber's answers, by the numbers of the deliveries. Any thread.</summary>
internal sealed class OwedAcknowledgements
{
    private readonly Lock _lock = new();

    // None once the subscription has ended.
    private Dictionary<ulong, PendingAcknowledgement>? _pending = [];

    /// <summary>That of a subscription which has ended before anybody waited.</summary>
    public static OwedAcknowledgements Closed { get; } = new() { _pending = null };

    /// <summary>Adds a sender, unless the subscription has ended.</summary>
    public bool TryAdd(ulong deliveryNumber, PendingAcknowledgement pending)
    {
        lock (_lock)
        {
            return _pending?.TryAdd(deliveryNumber, pending) is true;
        }
    }

    /// <summary>Takes a sender out; none if it does not wait any more.</summary>
    public PendingAcknowledgement? Take(ulong deliveryNumber)
    {
        lock (_lock)
        {
            return _pending is not null && _pending.Remove(deliveryNumber, out var pending) ? pending : null;
        }
    }

    /// <summary>Ends it, and takes all senders out.</summary>
    public IReadOnlyCollection<PendingAcknowledgement> Close()
    {
        lock (_lock)
        {
            var pending = _pending;
            _pending = null;
            return pending is null ? [] : pending.Values;
        }
    }
}
