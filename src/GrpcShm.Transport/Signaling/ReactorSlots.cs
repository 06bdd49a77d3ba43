namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Finds the target of a poller's token. A token consists of a generation and the number of a slot. So an event that
/// was on its way when its target left does not reach the next owner of the slot.
/// </summary>
internal sealed class ReactorSlots
{
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private Slot?[] _slots = new Slot?[16];
    private int _used;
    private uint _generation;

    public ulong Add(IReactorTarget target)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out var index))
            {
                index = _used++;
                if (index == _slots.Length)
                {
                    // A reader of the old array misses only slots that were not there when its event came.
                    Array.Resize(ref _slots, _slots.Length * 2);
                }
            }

            var token = ((ulong)++_generation << 32) | (uint)index;
            Volatile.Write(ref _slots[index], new Slot(token, target));
            return token;
        }
    }

    /// <returns>Whether the target was there.</returns>
    public bool Remove(ulong token)
    {
        lock (_gate)
        {
            var index = (int)(uint)token;
            if (_slots[index]?.Token != token)
            {
                return false;
            }

            _slots[index] = null;
            _free.Push(index);
            return true;
        }
    }

    /// <returns>The targets that were there.</returns>
    public List<IReactorTarget> RemoveAll()
    {
        lock (_gate)
        {
            var targets = new List<IReactorTarget>();
            for (var index = 0; index < _used; index++)
            {
                if (_slots[index] is { } slot)
                {
                    targets.Add(slot.Target);
                    _slots[index] = null;
                    _free.Push(index);
                }
            }

            return targets;
        }
    }

    /// <summary>The targets that are there at the moment.</summary>
    public List<IReactorTarget> All()
    {
        lock (_gate)
        {
            return [.. _slots.OfType<Slot>().Select(static s => s.Target)];
        }
    }

    /// <summary>Finds a target without taking the lock.</summary>
    public IReactorTarget? Find(ulong token)
    {
        var slots = Volatile.Read(ref _slots);
        var index = (int)(uint)token;
        return (uint)index < (uint)slots.Length && Volatile.Read(ref slots[index]) is { } slot && slot.Token == token
            ? slot.Target
            : null;
    }

    private sealed record Slot(ulong Token, IReactorTarget Target);
}
