namespace Samples.WaferFab.Scheduling;

/// <summary>What became of the tool that was killed.</summary>
/// <param name="Tool">The tool.</param>
/// <param name="Wafer">The wafer that it was working on.</param>
/// <param name="Step">The step that it was doing.</param>
/// <param name="Noticed">How long it took from its death until the bus had told the scheduler.</param>
/// <param name="Away">How long it took until the next life was ready.</param>
/// <param name="StepsMeanwhile">How many steps the other tools did in that time.</param>
internal sealed record Disturbance(
    string Tool, int Wafer, int Step, TimeSpan Noticed, TimeSpan Away, int StepsMeanwhile);
