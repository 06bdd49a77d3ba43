using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The answers for the last events whose handlers failed. An event comes once more if the sender's connection broke
/// before the sender had the answer. Then it gets the same answer, and not that of an event that was handled.
/// </summary>
/// <remarks>Only the loop that runs the handlers uses it.</remarks>
internal sealed class FailedEvents
{
    // More than fit into a window of a sender all of whose events fail.
    private const int Capacity = 4096;

    private readonly Dictionary<(ulong Sender, ulong Sequence), Acknowledgement> _answers = [];
    private readonly Queue<(ulong Sender, ulong Sequence)> _order = new();

    public void Add(in EventView failed, Acknowledgement answer)
    {
        var key = failed.Place;
        if (key.Sequence == 0 || !_answers.TryAdd(key, answer))
        {
            return;
        }

        _order.Enqueue(key);
        if (_order.Count > Capacity)
        {
            _answers.Remove(_order.Dequeue());
        }
    }

    /// <summary>Finds the answer for an event that failed; none if it did not fail.</summary>
    public Acknowledgement? Find(in EventView repeated) => _answers.Count > 0
        && _answers.TryGetValue(repeated.Place, out var answer) ? answer.Clone() : null;
}
