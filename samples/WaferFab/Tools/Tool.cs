using GrpcShm.EventBus;
using Samples.WaferFab.Messages;
using Samples.WaferFab.Planning;

namespace Samples.WaferFab.Tools;

/// <summary>The state machine of a tool: idle, or working on one wafer.</summary>
internal sealed class Tool(string id, EventClient bus, StepJournal journal)
{
    /// <summary>How many sensors send a reading with each tick.</summary>
    private const int Sensors = 5;

    private const string Idle = "idle";
    private const string Working = "working";

    /// <summary>The duration of the tool's work. A tick is the simulation's unit of time.</summary>
    private static readonly TimeSpan TickTime = TimeSpan.FromMilliseconds(10);

    private readonly string _life = Guid.NewGuid().ToString("N");
    private string _state = "";
    private long _commands;
    private long _sent;

    /// <summary>How many events it has sent to the scheduler.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Tells the scheduler that it accepts commands.</summary>
    public async Task AnnounceAsync()
    {
        await ChangeStateAsync(Idle, "START");
        await SendAsync(EventNames.ToolReady, new ToolReady(_life, NextNumber(), Environment.ProcessId, journal.Count));
    }

    /// <summary>
    /// Does a step. The scheduler waits for its end, so the bus tells the scheduler at once if this process dies
    /// before.
    /// </summary>
    public async Task HandleAsync(BusEvent @event)
    {
        if (@event.EventName != EventNames.RunStep
            || @event.GetPayload<StepCommand>() is not { } command
            || command.Life != _life)
        {
            return;
        }

        if (command.Number != ++_commands)
        {
            throw new InvalidOperationException(
                $"{id} got command {command.Number} where {_commands} was due: one was lost, doubled, or overtaken.");
        }

        await ChangeStateAsync(Working, @event.EventName);
        var isFromJournal = journal.Contains(command.Wafer, command.Step);
        if (!isFromJournal)
        {
            await WorkAsync(command);
            journal.Add(command.Wafer, command.Step);
        }

        await SendAsync(
            EventNames.StepDone, new StepDone(_life, NextNumber(), command.Wafer, command.Step, isFromJournal));
        await ChangeStateAsync(Idle, EventNames.StepDone);
        @event.NewState = Idle;
    }

    private async Task WorkAsync(StepCommand command)
    {
        using var clock = new PeriodicTimer(TickTime);
        for (var tick = 1; tick <= Route.Step(command.Step).Ticks; tick++)
        {
            await clock.WaitForNextTickAsync();
            for (var sensor = 1; sensor <= Sensors; sensor++)
            {
                var celsius = Math.Round(20 + (tick * 2.5) + sensor, 1);
                await SendAsync(
                    EventNames.Reading,
                    new Reading(_life, NextNumber(), command.Wafer, command.Step, tick, sensor, celsius));
            }
        }
    }

    private long NextNumber() => Interlocked.Increment(ref _sent);

    private Task SendAsync(string name, object message) => bus.SendEventAsync(id, SchedulerId.Value, name, message);

    private async Task ChangeStateAsync(string state, string transition)
    {
        var change = new MachineStateChange { OldState = _state, NewState = state, Transition = transition };
        _state = state;
        await bus.PublishStateChangeAsync(id, change);
    }
}
