namespace Samples.WaferFab.Scheduling;

/// <summary>The kill of a tool and its consequences.</summary>
/// <param name="Tool">The tool.</param>
/// <param name="Wafer">The wafer that it was working on.</param>
/// <param name="Step">The step that it was doing.</param>
/// <param name="Noticed">The time from its death until the bus told the scheduler.</param>
/// <param name="Away">The time until the next life was ready.</param>
/// <param name="StepsMeanwhile">How many steps the other tools did in that time.</param>
internal sealed record Disturbance(
    string Tool, int Wafer, int Step, TimeSpan Noticed, TimeSpan Away, int StepsMeanwhile);
