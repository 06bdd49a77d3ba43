using System.Diagnostics;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// When the loop runs: from the first registration until there has been none for a while, or until it fails. Whoever
/// keeps a reactor keeps one that works: the next registration lets it run again, with another thread and another
/// poller.
/// </summary>
/// <remarks>
/// <code>
/// field        written by                              read by
/// _poller      Start, Detach, under the gate           under the gate; whoever leads, who got it with its turn and who
///                                                      alone takes it away
/// _registered  Register, Unregister, Detach,           under the gate; whoever leads, before it waits and after each round
///              under the gate
/// _idleSince   the same                                under the gate
/// </code>
/// <para>Registering and ending exclude each other by the gate: who registers first keeps the loop alive, who comes
/// after the end starts it again. Only the look of the one who leads has no lock, so as not to take one each round: who
/// makes the count zero wakes the poller afterwards, which remembers that until the next wait, and so the leader either
/// sees the zero before it waits or does not wait for long. It then looks again, under the gate.</para>
/// <para>The poller is disposed of by whoever has led until the end: only who leads waits on it, and all others use it
/// under the gate, where it is there no more.</para>
/// </remarks>
internal sealed partial class Reactor
{
    private readonly Func<Poller> _createPoller;
    private readonly Func<TimeSpan> _idleTime;
    private readonly Lock _gate = new();
    private Poller? _poller;
    private int _registered;
    private long _idleSince;

    /// <summary>Whether there is a thread that leads.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _poller is not null;
            }
        }
    }

    /// <summary>Watches a doorbell or a socket. Any thread.</summary>
    /// <exception cref="IOException">The system has no room for another, or no thread to serve it.</exception>
    public ReactorRegistration Register(IPollSource source, IReactorTarget target)
    {
        lock (_gate)
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
            return new ReactorRegistration(this, source, token);
        }
    }

    /// <summary>Stops watching. A call to the target may still be under way. Any thread.</summary>
    public void Unregister(IPollSource source, ulong token)
    {
        lock (_gate)
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

    /// <summary>Lets a loop that has nothing to serve look at once whether its time is over. Any thread.</summary>
    public void EndIfIdle()
    {
        lock (_gate)
        {
            if (_registered == 0)
            {
                _poller?.Wake();
            }
        }
    }

    private Poller Start()
    {
        Poller? poller = null;
        var isWatched = false;
        try
        {
            poller = _createPoller();
            _sentinel?.Begin();
            isWatched = true;
            var turn = StartThread();
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
                _sentinel?.End();
            }

            throw exception as IOException ?? new SharedMemoryResourcesException(
                $"The thread that serves shared-memory connections ('{_name}') cannot be started: {exception.Message}", exception);
        }
    }

    /// <summary>How long the leader may wait: for ever, except where there is nothing to wait for.</summary>
    private int MillisecondsToWait() =>
        Volatile.Read(ref _registered) != 0 ? Timeout.Infinite : MillisecondsToEnd();

    private int MillisecondsToEnd()
    {
        lock (_gate)
        {
            return _registered != 0
                ? Timeout.Infinite
                : (int)Math.Ceiling(Math.Clamp((_idleTime() - Stopwatch.GetElapsedTime(_idleSince)).TotalMilliseconds, 0, int.MaxValue));
        }
    }

    /// <summary>Ends the loop if there has been nothing to serve for long enough. By the leader.</summary>
    private bool TryEnd()
    {
        Poller poller;
        lock (_gate)
        {
            if (_unfinished.Count > 0 || MillisecondsToWait() != 0)
            {
                return false;
            }

            poller = Detach();
        }

        poller.Dispose();
        return true;
    }

    /// <summary>
    /// Ends the loop because it failed. By the leader. What was queued goes to the pool; those that were served end
    /// with the reason, and what registers from here on gets a new loop.
    /// </summary>
    private void Fail(Exception exception)
    {
        t_running = null;
        Poller poller;
        List<IReactorTarget> targets;
        IRingTarget[] spinning;
        ReactorWork[] work;
        lock (_gate)
        {
            targets = _slots.RemoveAll();
            (spinning, work) = ([.. _spinning], [.. _work]);
            _spinning.Clear();
            _work.Clear();
            _served.Clear();
            _unfinished.Clear();
            _servesCalls = false;
            poller = Detach();
        }

        poller.Dispose();
        var failure = new ReactorFailedException(_name, exception);
        Tell(targets, logger => Log.ReactorFailed(logger, _name, failure));
        Array.ForEach(work, static w => w.RunOnPool());

        // First the connections, which tell their peers over the sockets that are among the rest.
        foreach (var target in targets.OrderBy(static t => t is not IRingTarget))
        {
            Try(target, () => target.OnReactorFailed(failure));
        }

        // They have leases on their memory.
        Array.ForEach(spinning, target => Try(target, () => target.EndSpin()));
    }

    private Poller Detach()
    {
        var poller = _poller!;
        _poller = null;

        // Nothing that has been served may be kept by a reactor that serves nothing.
        _served.Clear();
        _servesCalls = false;
        Volatile.Write(ref _registered, 0);
        while (_spares.TryPop(out var spare))
        {
            spare.End();
        }

        _sentinel?.End();
        return poller;
    }

    /// <summary>Logs something once with each logger that is known.</summary>
    private static void Tell(List<IReactorTarget> targets, Action<ILogger> log)
    {
        foreach (var logger in targets.Select(static t => t.Logger).OfType<ILogger>().ToHashSet())
        {
            try
            {
                log(logger);
            }
            catch (Exception)
            {
                // A logger that throws. What it should have said is the reason that the connections end with, too.
            }
        }
    }

    private static void Try(IReactorTarget target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            Fault(target, exception);
        }
    }
}
