namespace Samples.WaferFab.Planning;

/// <summary>
/// Decides the next step of each tool. It does not know events and processes, and is not safe for several threads.
/// </summary>
internal sealed class Schedule
{
    private readonly Dictionary<string, Wafer> _running = [];

    public Schedule(int wafers) => Wafers = [.. Enumerable.Range(1, wafers).Select(number => new Wafer(number))];

    public IReadOnlyList<Wafer> Wafers { get; }

    public bool IsFinished => Wafers.All(wafer => wafer.IsFinished);

    /// <summary>The wafer that the tool has a command for and has not reported as done, if there is one.</summary>
    public Wafer? RunningOn(string tool) => _running.GetValueOrDefault(tool);

    /// <summary>Finds the tool's next wafer and marks its next step as running.</summary>
    /// <returns>The wafer, or <see langword="null"/> if the tool is busy or has no possible step now.</returns>
    public Wafer? StartNext(string tool)
    {
        if (_running.ContainsKey(tool))
        {
            return null;
        }

        // The wafer that is furthest comes first, since it makes room for the wafers behind it.
        var wafer = Wafers.Where(wafer => CanStart(wafer, tool)).MaxBy(wafer => wafer.Done);
        if (wafer is not null)
        {
            wafer.Start(wafer.Done + 1);
            _running.Add(tool, wafer);
        }

        return wafer;
    }

    /// <summary>Notes a tool's report.</summary>
    /// <returns>True if it was the step that the tool had a command for; false if it was reported before.</returns>
    public bool Complete(string tool, int waferNumber, int step)
    {
        if (RunningOn(tool) is not { } wafer || wafer.Number != waferNumber || wafer.Running != step)
        {
            return false;
        }

        wafer.Complete(step);
        _running.Remove(tool);
        return true;
    }

    private bool CanStart(Wafer wafer, string tool)
    {
        if (wafer.Running != 0 || wafer.IsFinished || Route.Step(wafer.Done + 1).Tool != tool)
        {
            return false;
        }

        var place = Route.Places.FirstOrDefault(place => place.Entry == wafer.Done + 1);
        return place is null || !Wafers.Any(other => other.Takes(place));
    }
}
