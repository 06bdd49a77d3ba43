using System.Runtime.InteropServices;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Knows the events that have come before. A sender whose connection broke sends the events that were not answered
/// again.
/// </summary>
/// <remarks>Only the session's reading thread uses it.</remarks>
internal sealed class RepeatedEvents
{
    // Senders come and go. A sender that is forgotten here can only lead to a repeated event, after a lost connection.
    private const int MaxSenders = 4096;

    // The last sequence number of each sender.
    private readonly Dictionary<ulong, ulong> _last = [];

    /// <summary>True if an event has come before. It is noted if it has not.</summary>
    /// <param name="sender">The number of its sender; zero: none.</param>
    /// <param name="sequence">Its place among the events of its sender; zero: none.</param>
    public bool IsRepeated(ulong sender, ulong sequence)
    {
        if (sender == 0 || sequence == 0)
        {
            return false;
        }

        if (_last.Count >= MaxSenders)
        {
            _last.Clear();
        }

        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, sender, out _);
        if (sequence <= last)
        {
            return true;
        }

        last = sequence;
        return false;
    }
}
