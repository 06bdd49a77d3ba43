using Samples.WaferFab.Scheduling;

namespace Samples.WaferFab.View;

/// <summary>What is to be shown of one moment.</summary>
/// <param name="Fab">The fab.</param>
/// <param name="States">The machines' states, as they published them.</param>
/// <param name="EventsPerSecond">How many events the hub took, since the last picture.</param>
internal sealed record FabPicture(FabSnapshot Fab, IReadOnlyDictionary<string, string> States, double EventsPerSecond)
{
    /// <summary>A machine's state. One whose process is gone can't publish that.</summary>
    public string StateOf(ToolSnapshot tool) => tool switch
    {
        { Lives: 0 } => "starting",
        { IsReady: false } => "gone",
        _ => States.GetValueOrDefault(tool.Id, "?"),
    };
}
