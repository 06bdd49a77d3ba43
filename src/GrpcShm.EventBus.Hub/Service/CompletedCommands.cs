namespace GrpcShm.EventBus.Service;

/// <summary>
/// Up to which command the client's commands have been carried out. A command that is answered later, and whose success
/// a client may conclude from that number, holds the number back.
/// </summary>
/// <param name="report">Takes the number. It never goes down.</param>
internal sealed class CompletedCommands(Action<ulong> report)
{
    private readonly Lock _lock = new();

    // Under the lock.
    private readonly SortedSet<ulong> _held = [];
    private ulong _through;

    // The reader's own: true once a command was held back. Before that no other thread reports.
    private bool _hasHeld;

    /// <summary>Notes that all commands up to a number have been carried out, but for those that are held.</summary>
    public void SetThrough(ulong number)
    {
        if (!_hasHeld)
        {
            report(number);
            return;
        }

        lock (_lock)
        {
            _through = number;
            Report();
        }
    }

    /// <summary>Holds a command back. Only the reader calls it, before it notes that command or a later one.</summary>
    public void Hold(ulong number)
    {
        _hasHeld = true;
        lock (_lock)
        {
            _held.Add(number);
        }
    }

    /// <summary>Notes that a command has been answered. Nothing changes if it was not held back.</summary>
    public void Release(ulong number)
    {
        lock (_lock)
        {
            _held.Remove(number);
            Report();
        }
    }

    // Under the lock, so that no number is followed by a smaller one.
    private void Report()
    {
        var through = _held.Count > 0 ? Math.Min(_through, _held.Min - 1) : _through;
        if (through > 0)
        {
            report(through);
        }
    }
}
