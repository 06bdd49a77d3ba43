namespace GrpcShm.EventBus.Client;

/// <summary>The commands of one session that have been written and not been answered.</summary>
internal sealed class SentCommands
{
    private readonly Lock _lock = new();

    // In order and without gaps: the first one has the number _firstNumber. Commands that an outcome answered are null.
    private readonly List<PendingCommand?> _inOrder = [];
    private readonly Dictionary<ulong, PendingCommand> _waitingForMore = [];
    private ulong _firstNumber = 1;
    private ulong _lastNumber;
    private int _head;

    /// <summary>Numbers a command.</summary>
    public void Add(PendingCommand command)
    {
        lock (_lock)
        {
            command.Number = ++_lastNumber;
            command.IsCarriedOut = false;
            _inOrder.Add(command);
        }
    }

    /// <summary>Takes the command that an outcome answers.</summary>
    public PendingCommand? Take(ulong number)
    {
        lock (_lock)
        {
            if (_waitingForMore.Remove(number, out var waiting))
            {
                return waiting;
            }

            if (number < _firstNumber || number > _lastNumber)
            {
                return null;
            }

            var index = (int)(number - _firstNumber) + _head;
            ref var slot = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_inOrder)[index];
            var command = slot;
            slot = null;
            return command;
        }
    }

    /// <summary>Takes the commands up to a number, except those that wait for a later acknowledgement.</summary>
    public void TakeThrough(ulong number, List<PendingCommand> succeeded)
    {
        lock (_lock)
        {
            for (; _firstNumber <= number && _head < _inOrder.Count; _firstNumber++, _head++)
            {
                if (_inOrder[_head] is { } command)
                {
                    if (command.WantsMore)
                    {
                        command.IsCarriedOut = true;
                        _waitingForMore.Add(_firstNumber, command);
                    }
                    else
                    {
                        succeeded.Add(command);
                    }
                }
            }

            if (_head == _inOrder.Count || _head > 4096)
            {
                _inOrder.RemoveRange(0, _head);
                _head = 0;
            }
        }
    }

    /// <summary>Takes all commands that are left, in order.</summary>
    public List<PendingCommand> TakeAll()
    {
        lock (_lock)
        {
            List<PendingCommand> left =
            [
                .. _waitingForMore.OrderBy(pair => pair.Key).Select(pair => pair.Value),
                .. _inOrder.Skip(_head).OfType<PendingCommand>(),
            ];
            _waitingForMore.Clear();
            _inOrder.Clear();
            _head = 0;
            _firstNumber = _lastNumber + 1;
            return left;
        }
    }
}
