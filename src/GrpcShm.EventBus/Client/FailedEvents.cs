using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// What was answered for the last events whose handlers failed: an event that comes once more, because the sender's
/// connection broke before it had the answer, is answered the same, and not as if it had been handled.
/// </summary>
/// <remarks>Used by the one that runs the handlers.</remarks>
internal sealed class FailedEvents
{
    // More than fit into a window of a sender whose every event fails.
    private const int Capacity = 4096;

    private readonly Dictionary<(ulong Sender, ulong Sequence), Acknowledgement> _answers = [];
    private readonly Queue<(ulong Sender, ulong Sequence)> _order = new();

    public void Add(Event failed, Acknowledgement answer)
    {
        var key = (failed.Sender, failed.Sequence);
        if (failed.Sequence == 0 || !_answers.TryAdd(key, answer))
        {
            return;
        }

        _order.Enqueue(key);
        if (_order.Count > Capacity)
        {
            _answers.Remove(_order.Dequeue());
        }
    }

    /// <summary>The answer for an event that failed; none if it did not.</summary>
    public Acknowledgement? Find(Event repeated) => _answers.Count > 0
        && _answers.TryGetValue((repeated.Sender, repeated.Sequence), out var answer) ? answer.Clone() : null;
}
