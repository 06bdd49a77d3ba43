namespace Samples.WaferFab.Scheduling;

/// <summary>The scheduler's record of a tool.</summary>
internal sealed class ToolRecord(string id)
{
    public string Id { get; } = id;

    /// <summary>Identifies the tool's process in its life; empty before the first.</summary>
    public string Life { get; private set; } = "";

    /// <summary>How often the tool has started.</summary>
    public int Lives { get; private set; }

    public int ProcessId { get; private set; }

    /// <summary>True if commands can be sent to it.</summary>
    public bool IsReady { get; private set; }

    /// <summary>The number of the last event of this life.</summary>
    public long LastNumber { get; private set; }

    /// <summary>The number of received events of all lives.</summary>
    public long Events { get; private set; }

    /// <summary>The number of commands to this life.</summary>
    public long Commands { get; private set; }

    /// <summary>How many steps it has done.</summary>
    public int StepsDone { get; set; }

    /// <summary>The last known tick of its current step.</summary>
    public int Tick { get; set; }

    public long NextCommandNumber() => ++Commands;

    public void Begin(string life, int processId)
    {
        (Life, ProcessId, IsReady) = (life, processId, true);
        (LastNumber, Commands, Tick) = (0, 0, 0);
        Lives++;
    }

    /// <summary>Notes that a life has ended, if it is the current one.</summary>
    public void End(string life)
    {
        if (life == Life)
        {
            IsReady = false;
        }
    }

    /// <summary>Counts a received event.</summary>
    /// <returns>True if it is the next event in order.</returns>
    public bool Count(string life, long number)
    {
        Events++;
        if (life != Life || number != LastNumber + 1)
        {
            return false;
        }

        LastNumber = number;
        return true;
    }
}
