using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A client's machines and other subscriptions: by the machine's id, by the number that the hub knows them by, and
/// those that get copies of what stays in this process.
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
    /// Those that stand and are no machines: whatever a machine of this client sends to another one is compared with
    /// them.
    /// </summary>
    public EventReceiver[] Observers => Volatile.Read(ref _observers);

    /// <summary>All that the hub has been told of, or is about to be.</summary>
    public ICollection<EventReceiver> All => _byNumber.Values;

    /// <summary>Takes a number that no receiver of this client has had.</summary>
    public uint TakeNumber() => (uint)Interlocked.Increment(ref _lastNumber);

    /// <summary>Adds a machine, unless this client has one of that id.</summary>
    public bool TryAddMachine(EventReceiver machine) => _machines.TryAdd(machine.Subscription.Inbox, machine);

    public bool TryGetMachine(string machineId, [NotNullWhen(true)] out EventReceiver? machine) =>
        _machines.TryGetValue(machineId, out machine);

    /// <summary>Makes a receiver known by its number, before the hub is told of it.</summary>
    public void Add(EventReceiver receiver) => _byNumber[receiver.Number] = receiver;

    public bool TryGet(uint number, [NotNullWhen(true)] out EventReceiver? receiver) =>
        _byNumber.TryGetValue(number, out receiver);

    /// <summary>What a new session must be told of, in the order in which it was made.</summary>
    public IEnumerable<EventReceiver> Standing() =>
        _byNumber.Values.Where(receiver => receiver.IsStanding).OrderBy(receiver => receiver.Number);

    /// <summary>Takes a receiver's number away.</summary>
    /// <returns>Whether it had one: of all who end a receiver only one tells the hub.</returns>
    public bool TryTakeNumberOf(EventReceiver receiver) => _byNumber.TryRemove(receiver.Number, out _);

    /// <summary>Lets a receiver that stands see what machines of this client send to each other.</summary>
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
