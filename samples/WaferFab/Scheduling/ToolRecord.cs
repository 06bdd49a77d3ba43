namespace Samples.WaferFab.Scheduling;

/// <summary>What the scheduler knows of a tool.</summary>
internal sealed class ToolRecord(string id)
{
    public string Id { get; } = id;

    /// <summary>Identifies the tool's process in its life; empty before the first.</summary>
    public string Life { get; private set; } = "";

    /// <summary>How often the tool has started.</summary>
    public int Lives { get; private set; }

    public int ProcessId { get; private set; }

    /// <summary>Whether commands can be sent to it.</summary>
    public bool IsReady { get; private set; }

    /// <summary>The number of the last event of this life.</summary>
    public long LastNumber { get; private set; }

    /// <summary>How many events of all lives came.</summary>
    public long Events { get; private set; }

    /// <summary>How many commands this life was sent.</summary>
    public long Commands { get; private set; }

    /// <summary>How many steps it has done.</summary>
    public int StepsDone { get; set; }

    /// <summary>The last tick of the step that it works on, as far as is known.</summary>
    public int Tick { get; set; }

    public long NextCommandNumber() => ++Commands;

    public void Begin(string life, int processId)
    {
        (Life, ProcessId, IsReady) = (life, processId, true);
        (LastNumber, Commands, Tick) = (0, 0, 0);
        Lives++;
    }

    /// <summary>Takes note that a life is over, if it is the present one.</summary>
    public void End(string life)
    {
        if (life == Life)
        {
            IsReady = false;
        }
    }

    /// <summary>Counts an event in.</summary>
    /// <returns>Whether it is the one that was due.</returns>
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
