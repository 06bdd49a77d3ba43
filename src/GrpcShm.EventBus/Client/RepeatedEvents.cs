using System.Runtime.InteropServices;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Knows the events that have come before: a sender whose connection broke sends what was not answered again.
/// </summary>
/// <remarks>The reading thread's own.</remarks>
internal sealed class RepeatedEvents
{
    // Senders come and go; what is forgotten here can only lead to a repeated event, after a lost connection.
    private const int MaxSenders = 4096;

    // Of each sender the last sequence number.
    private readonly Dictionary<ulong, ulong> _last = [];

    /// <summary>Whether an event has come before, and notes it if it has not.</summary>
    public bool IsRepeated(Event @event)
    {
        if (@event.Sender == 0 || @event.Sequence == 0)
        {
            return false;
        }

        if (_last.Count >= MaxSenders)
        {
            _last.Clear();
        }

        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, @event.Sender, out _);
        if (@event.Sequence <= last)
        {
            return true;
        }

        last = @event.Sequence;
        return false;
    }
}
