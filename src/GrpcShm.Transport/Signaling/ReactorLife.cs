using System.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// When a reactor's loop runs: from the first registration until there has been none for a while, or until the loop
/// fails. Whoever keeps a reactor keeps a working one: the next registration lets the loop run again, with another
/// thread and another poller.
/// </summary>
/// <remarks>
/// <code>
/// field        written by                              read by
/// _poller      Start, Detach, under the gate           under the gate; the leader, which got it with its turn and is
///                                                      the only thread that takes it away
/// _registered  Register, Unregister, Detach,           under the gate; the leader, before it waits and after each
///              under the gate                          round
/// _idleSince   the same                                under the gate
/// _spares      under the gate                          under the gate
/// </code>
/// <para>Registering and ending exclude each other by the gate: whoever registers first keeps the loop alive, whoever
/// registers after the end starts it again. Only the leader's look has no lock, so as not to take one each round:
/// whoever makes the count zero wakes the poller afterwards, and the poller remembers that until the next wait. So the
/// leader either sees the zero before it waits or does not wait for long. It then looks again, under the gate.</para>
/// <para>The poller is disposed of by the thread that has led until the end: only the leader waits on it, and all
/// other threads use it under the gate, where they find it gone.</para>
/// </remarks>
internal sealed class ReactorLife
{
    private const int MaxSpares = 2;

    private readonly string _name;
    private readonly Func<Poller> _createPoller;
    private readonly Func<ReactorTurn> _startThread;
    private readonly Func<TimeSpan> _idleTime;
    private readonly ReactorLeadership _leadership;
    private readonly ReactorSlots _slots = new();
    private readonly Stack<ReactorTurn> _spares = new();
    private Poller? _poller;
    private int _registered;
    private long _idleSince;

    /// <param name="name">The name of the reactor's threads.</param>
    /// <param name="createPoller">Makes the poller, each time that the loop begins to run.</param>
    /// <param name="startThread">Starts a thread that leads as soon as it gets its turn.</param>
    /// <param name="idleTime">How long the loop goes on when nothing is registered any more.</param>
    /// <param name="leadership">Which thread leads, and which sentinel watches it.</param>
    public ReactorLife(
        string name,
        Func<Poller> createPoller,
        Func<ReactorTurn> startThread,
        Func<TimeSpan> idleTime,
        ReactorLeadership leadership)
    {
        _name = name;
        _createPoller = createPoller;
        _startThread = startThread;
        _idleTime = idleTime;
        _leadership = leadership;
    }

    /// <summary>The lock of all fields here. The table of the targets has its own.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The poller of the loop that runs. For the leader.</summary>
    public Poller? Poller => _poller;

    /// <summary>True if nothing is registered. For the leader, which has to look again under the gate.</summary>
    public bool SeemsIdle => Volatile.Read(ref _registered) == 0;

    /// <summary>True if there is a thread that leads.</summary>
    public bool IsRunning
    {
        get
        {
            lock (Gate)
            {
                return _poller is not null;
            }
        }
    }

    /// <inheritdoc cref="Reactor.Register"/>
    /// <returns>The token of the registration.</returns>
    public ulong Register(IPollSource source, IReactorTarget target)
    {
        lock (Gate)
        {
            var poller = _poller ?? Start();
            var token = _slots.Add(target);
            try
            {
                poller.Add(source, token);
            }
            catch
            {
                _slots.Remove(token);
                throw;
            }

            Volatile.Write(ref _registered, _registered + 1);
            return token;
        }
    }

    /// <inheritdoc cref="Reactor.Unregister"/>
    public void Unregister(IPollSource source, ulong token)
    {
        lock (Gate)
        {
            if (!_slots.Remove(token))
            {
                // The loop that watched it has failed, and its poller is gone.
                return;
            }

            _poller!.Remove(source);
            Volatile.Write(ref _registered, _registered - 1);
            if (_registered == 0)
            {
                _idleSince = Stopwatch.GetTimestamp();
                _poller.Wake();
            }
        }
    }

    /// <summary>Finds the target of an event. Without the gate.</summary>
    public IReactorTarget? Find(ulong token) => _slots.Find(token);

    /// <summary>All targets that are registered at the moment. Without the gate.</summary>
    public List<IReactorTarget> Targets() => _slots.All();

    /// <summary>Removes all targets, since the loop ends. Under the gate, by the leader.</summary>
    public List<IReactorTarget> RemoveTargets() => _slots.RemoveAll();

    /// <inheritdoc cref="Reactor.EndIfIdle"/>
    public void WakeIfIdle()
    {
        lock (Gate)
        {
            if (_registered == 0)
            {
                _poller?.Wake();
            }
        }
    }

    /// <summary>How long the leader may wait: for ever, unless nothing is registered.</summary>
    public int MillisecondsToWait() =>
        Volatile.Read(ref _registered) != 0 ? Timeout.Infinite : MillisecondsToEnd();

    /// <summary>Ends the loop. Under the gate, by the leader.</summary>
    /// <returns>The loop's poller, which the caller has to dispose of.</returns>
    public Poller Detach()
    {
        var poller = _poller!;
        _poller = null;
        Volatile.Write(ref _registered, 0);
        while (_spares.TryPop(out var spare))
        {
            spare.End();
        }

        _leadership.EndWatch();
        return poller;
    }

    /// <summary>Lets a thread that does not lead wait until it is needed again.</summary>
    /// <returns>True if the thread may wait; if not, it has to end.</returns>
    public bool TryKeep(ReactorTurn turn)
    {
        lock (Gate)
        {
            if (_poller is null || _spares.Count >= MaxSpares)
            {
                return false;
            }

            _spares.Push(turn);
            return true;
        }
    }

    /// <summary>Takes a thread that waits, or starts one.</summary>
    public ReactorTurn TakeThread() => TakeSpare() ?? _startThread();

    /// <summary>Gives back a thread that was not needed after all.</summary>
    public void GiveBack(ReactorTurn turn)
    {
        if (!TryKeep(turn))
        {
            turn.End();
        }
    }

    private ReactorTurn? TakeSpare()
    {
        lock (Gate)
        {
            return _spares.TryPop(out var spare) ? spare : null;
        }
    }

    private Poller Start()
    {
        Poller? poller = null;
        var isWatched = false;
        try
        {
            poller = _createPoller();
            _leadership.BeginWatch();
            isWatched = true;
            var turn = _startThread();
            _idleSince = Stopwatch.GetTimestamp();
            _poller = poller;
            turn.Give();
            return poller;
        }
        catch (Exception exception)
        {
            poller?.Dispose();
            if (isWatched)
            {
                _leadership.EndWatch();
            }

            throw exception as IOException ?? new SharedMemoryResourcesException(
                $"The thread that serves shared-memory connections ('{_name}') cannot be started: {exception.Message}",
                exception);
        }
    }

    private int MillisecondsToEnd()
    {
        lock (Gate)
        {
            if (_registered != 0)
            {
                return Timeout.Infinite;
            }

            var left = (_idleTime() - Stopwatch.GetElapsedTime(_idleSince)).TotalMilliseconds;
            return (int)Math.Ceiling(Math.Clamp(left, 0, int.MaxValue));
        }
    }
}
