using Grpc.Core;
using GrpcShm.EventBus;
using Samples.WaferFab.Messages;
using Samples.WaferFab.Planning;
using XStateNet.Events.V1;

namespace Samples.WaferFab.Scheduling;

/// <summary>The machine that has the plan: it sends commands to the tools and receives their reports.</summary>
internal sealed class Scheduler
{
    private readonly Lock _gate = new();
    private readonly EventClient _bus;
    private readonly Schedule _schedule;
    private readonly Dictionary<string, ToolRecord> _tools =
        Route.Tools.ToDictionary(id => id, id => new ToolRecord(id));

    private readonly List<Waiter> _waiters = [];
    private readonly List<string> _problems = [];
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Scheduler(EventClient bus, int wafers)
    {
        _bus = bus;
        _schedule = new Schedule(wafers);
        bus.HandlerFailed += (_, failure) => _failed.TrySetException(new InvalidOperationException(
            $"the scheduler failed on {failure.Event.EventName} of {failure.Event.SourceMachineId}: "
            + failure.Exception.Message));
    }

    /// <summary>Fails when the work cannot go on.</summary>
    public Task Failed => _failed.Task;

    public IReadOnlyList<Wafer> Wafers => _schedule.Wafers;

    /// <summary>The errors so far.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_gate)
            {
                return [.. _problems];
            }
        }
    }

    /// <summary>Joins the bus. Tools that start from now on get work.</summary>
    public async Task<IDisposable> JoinAsync() => await _bus.SubscribeAsync(SchedulerId.Value, HandleAsync);

    public FabSnapshot Snapshot()
    {
        lock (_gate)
        {
            return TakeSnapshot();
        }
    }

    /// <summary>
    /// Waits until the fab fulfils a condition. The condition is checked after each event, so no state is missed.
    /// </summary>
    public Task<FabSnapshot> WhenAsync(Func<FabSnapshot, bool> condition, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var snapshot = TakeSnapshot();
            if (condition(snapshot))
            {
                return Task.FromResult(snapshot);
            }

            var waiter = new Waiter(condition);
            _waiters.Add(waiter);
            return waiter.Task.WaitAsync(cancellationToken);
        }
    }

    private Task HandleAsync(BusEvent @event)
    {
        lock (_gate)
        {
            var tool = _tools[@event.SourceMachineId];
            switch (@event.EventName)
            {
                case EventNames.ToolReady:
                    OnReady(tool, Read<ToolReady>(@event));
                    break;
                case EventNames.Reading:
                    OnReading(tool, Read<Reading>(@event));
                    break;
                case EventNames.StepDone:
                    OnDone(tool, Read<StepDone>(@event));
                    break;
                default:
                    _problems.Add($"{tool.Id} sent '{@event.EventName}', which nobody knows.");
                    break;
            }

            WakeWaiters();
        }

        return Task.CompletedTask;
    }

    private void OnReady(ToolRecord tool, ToolReady ready)
    {
        tool.Begin(ready.Life, ready.ProcessId);
        CheckOrder(tool, ready.Life, ready.Number);
        if (_schedule.RunningOn(tool.Id) is { } unfinished)
        {
            // The tool's last life died during this step. If the step was done, the journal has it.
            Command(tool, unfinished);
        }
        else
        {
            CommandAll();
        }
    }

    private void OnReading(ToolRecord tool, Reading reading)
    {
        CheckOrder(tool, reading.Life, reading.Number);
        tool.Tick = reading.Tick;
    }

    private void OnDone(ToolRecord tool, StepDone done)
    {
        CheckOrder(tool, done.Life, done.Number);
        if (!_schedule.Complete(tool.Id, done.Wafer, done.Step))
        {
            _problems.Add($"{tool.Id} reported step {done.Step} of wafer {done.Wafer}, which it was not doing.");
            return;
        }

        tool.StepsDone++;
        tool.Tick = 0;
        CommandAll();
    }

    // The end of a step may allow another tool to begin.
    private void CommandAll()
    {
        foreach (var tool in _tools.Values)
        {
            if (tool.IsReady && _schedule.StartNext(tool.Id) is { } wafer)
            {
                Command(tool, wafer);
            }
        }
    }

    private void Command(ToolRecord tool, Wafer wafer)
    {
        var command = new StepCommand(tool.Life, tool.NextCommandNumber(), wafer.Number, wafer.Running);

        // The event has its place in the order when the call returns, so the call is made under the lock.
        var sent = _bus.SendEventAsync(
            SchedulerId.Value,
            tool.Id,
            EventNames.RunStep,
            command,
            new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed });
        _ = WatchAsync(tool, tool.Life, sent);
    }

    /// <summary>Learns from the answer to a command that the tool has died.</summary>
    private async Task WatchAsync(ToolRecord tool, string life, Task sent)
    {
        try
        {
            await sent;
        }
        catch (EventBusException exception) when (exception.StatusCode is StatusCode.NotFound or StatusCode.Unavailable)
        {
            lock (_gate)
            {
                tool.End(life);
                WakeWaiters();
            }
        }
        catch (Exception exception)
        {
            _failed.TrySetException(new InvalidOperationException(
                $"{tool.Id} did not do what it was told: {exception.Message}", exception));
        }
    }

    private void CheckOrder(ToolRecord tool, string life, long number)
    {
        var due = tool.LastNumber + 1;
        if (!tool.Count(life, number))
        {
            _problems.Add($"{tool.Id} sent its event {number} where {due} was due.");
        }
    }

    private static T Read<T>(BusEvent @event) =>
        @event.GetPayload<T>() ?? throw new FormatException(
            $"{@event.EventName} of {@event.SourceMachineId} has no payload.");

    private void WakeWaiters()
    {
        if (_waiters.Count > 0)
        {
            var snapshot = TakeSnapshot();
            _waiters.RemoveAll(waiter => waiter.TryWake(snapshot));
        }
    }

    private FabSnapshot TakeSnapshot()
    {
        var tools = new List<ToolSnapshot>(_tools.Count);
        foreach (var tool in _tools.Values)
        {
            var wafer = _schedule.RunningOn(tool.Id);
            tools.Add(new ToolSnapshot(
                tool.Id,
                tool.ProcessId,
                tool.IsReady,
                tool.Lives,
                wafer?.Number ?? 0,
                wafer?.Running ?? 0,
                tool.Tick,
                tool.StepsDone,
                tool.Events,
                tool.LastNumber));
        }

        return new FabSnapshot(
            tools, Wafers.Count, Wafers.Count(wafer => wafer.IsFinished), _tools.Values.Sum(tool => tool.Events));
    }
}
