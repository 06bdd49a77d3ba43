namespace GrpcShm.EventBus.Client;

/// <summary>
/// Knows the events that have come before. A sender whose connection broke sends the events that were not answered
/// again.
/// </summary>
/// <remarks>
/// The events of one machine of a sender come one way at a time, by the hub or over a lane. Those of two machines may
/// come at once, so each machine is counted for itself. The lock of the receiver guards it.
/// </remarks>
internal sealed class RepeatedEvents
{
    // Senders come and go. A sender that is forgotten here can only lead to a repeated event, after a lost connection.
    private const int MaxSenders = 4096;

    // When the young ones are full they become the old ones: only senders of which nothing has come since at least so
    // many others are forgotten.
    private Dictionary<(ulong Sender, string Source), Entry> _young = [];
    private Dictionary<(ulong Sender, string Source), Entry> _old = [];
    private Entry _recent = new(0, "");

    /// <summary>True if an event has come before. It is noted if it has not.</summary>
    /// <param name="sender">The number of its sender; zero: none.</param>
    /// <param name="source">The machine that it comes from; may be empty.</param>
    /// <param name="sequence">Its place among the events of its sender; zero: none.</param>
    public bool IsRepeated(ulong sender, string source, ulong sequence)
    {
        if (sender == 0 || sequence == 0)
        {
            return false;
        }

        var entry = _recent;
        if (entry.Sender != sender || entry.Source != source)
        {
            _recent = entry = Find(sender, source);
        }

        if (sequence <= entry.Last)
        {
            return true;
        }

        entry.Last = sequence;
        return false;
    }

    private Entry Find(ulong sender, string source)
    {
        var key = (sender, source);
        if (_young.TryGetValue(key, out var entry))
        {
            return entry;
        }

        if (!_old.Remove(key, out entry))
        {
            entry = new Entry(sender, source);
        }

        if (_young.Count >= MaxSenders)
        {
            (_old, _young) = (_young, []);
        }

        _young.Add(key, entry);
        return entry;
    }

    private sealed class Entry(ulong sender, string source)
    {
        public ulong Sender { get; } = sender;

        public string Source { get; } = source;

        /// <summary>The last sequence number.</summary>
        public ulong Last { get; set; }
    }
}
