using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A client's machines and other subscriptions: by the machine's id, by the number under which the hub knows them, and
/// the observers, which get copies of the events that stay in this process.
/// </summary>
internal sealed class ReceiverTable
{
    private readonly ConcurrentDictionary<string, EventReceiver> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<uint, EventReceiver> _byNumber = new();
    private readonly Lock _observersLock = new();

    // Replaced under the lock, read without it: an array does not change any more once it stands here.
    private EventReceiver[] _observers = [];
    private int _lastNumber;

    /// <summary>
    /// The receivers that stand and are no machines. Each event between machines of this client is compared with their
    /// filters.
    /// </summary>
    public EventReceiver[] Observers => Volatile.Read(ref _observers);

    /// <summary>All receivers that the hub has been told of, or is about to be told of.</summary>
    public ICollection<EventReceiver> All => _byNumber.Values;

    /// <summary>Takes a number that no receiver of this client has had before.</summary>
    public uint TakeNumber() => (uint)Interlocked.Increment(ref _lastNumber);

    /// <summary>Adds a machine, unless this client has one of that id.</summary>
    public bool TryAddMachine(EventReceiver machine) => _machines.TryAdd(machine.Subscription.Inbox, machine);

    public bool TryGetMachine(string machineId, [NotNullWhen(true)] out EventReceiver? machine) =>
        _machines.TryGetValue(machineId, out machine);

    /// <summary>Makes a receiver known by its number, before the hub is told of it.</summary>
    public void Add(EventReceiver receiver) => _byNumber[receiver.Number] = receiver;

    public bool TryGet(uint number, [NotNullWhen(true)] out EventReceiver? receiver) =>
        _byNumber.TryGetValue(number, out receiver);

    /// <summary>
    /// Lists the receivers of which a new session must be told, in the order in which they were made.
    /// </summary>
    public IEnumerable<EventReceiver> ListStanding() =>
        _byNumber.Values.Where(receiver => receiver.IsStanding).OrderBy(receiver => receiver.Number);

    /// <summary>Takes a receiver's number away.</summary>
    /// <returns>True if it had one: of several callers that end a receiver only one tells the hub.</returns>
    public bool TryTakeNumberOf(EventReceiver receiver) => _byNumber.TryRemove(receiver.Number, out _);

    /// <summary>Lets a receiver that stands get copies of the events between machines of this client.</summary>
    public void AddObserver(EventReceiver receiver)
    {
        lock (_observersLock)
        {
            if (!receiver.HasEnded && !_observers.Contains(receiver))
            {
                Volatile.Write(ref _observers, [.. _observers, receiver]);
            }
        }
    }

    /// <summary>Removes a receiver from everywhere. A machine's id is free after that.</summary>
    public void Remove(EventReceiver receiver)
    {
        TryTakeNumberOf(receiver);
        if (receiver.IsMachine)
        {
            _machines.TryRemove(new KeyValuePair<string, EventReceiver>(receiver.Subscription.Inbox, receiver));
            return;
        }

        lock (_observersLock)
        {
            Volatile.Write(ref _observers, [.. _observers.Where(observer => observer != receiver)]);
        }
    }
}
