using Samples.WaferFab.Scheduling;

namespace Samples.WaferFab.View;

/// <summary>The state of the fab at one moment, for the view.</summary>
/// <param name="At">The moment, by the clock of the run.</param>
/// <param name="Fab">The fab.</param>
/// <param name="States">The machines' states, as they published them.</param>
/// <param name="EventsPerSecond">Events a second that the hub accepted since the last picture.</param>
internal sealed record FabPicture(
    TimeSpan At, FabSnapshot Fab, IReadOnlyDictionary<string, string> States, double EventsPerSecond)
{
    /// <summary>A machine's state. A machine whose process has died cannot publish this itself.</summary>
    public string StateOf(ToolSnapshot tool) => tool switch
    {
        { Lives: 0 } => "starting",
        { IsReady: false } => "gone",
        _ => States.GetValueOrDefault(tool.Id, "?"),
    };
}
