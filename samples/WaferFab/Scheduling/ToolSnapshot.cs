namespace Samples.WaferFab.Scheduling;

/// <summary>A tool at one moment.</summary>
/// <param name="Id">Its id as a machine.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="IsReady">True if it accepts commands.</param>
/// <param name="Lives">How often it has started.</param>
/// <param name="Wafer">The wafer that it works on; zero for none.</param>
/// <param name="Step">The step that it does; zero for none.</param>
/// <param name="Tick">The last tick of this step.</param>
/// <param name="StepsDone">How many steps it has done.</param>
/// <param name="Events">How many events it has sent.</param>
/// <param name="LastNumber">The number of the last one in this life.</param>
internal sealed record ToolSnapshot(
    string Id,
    int ProcessId,
    bool IsReady,
    int Lives,
    int Wafer,
    int Step,
    int Tick,
    int StepsDone,
    long Events,
    long LastNumber)
{
    public bool IsBusy => IsReady && Step != 0;
}
