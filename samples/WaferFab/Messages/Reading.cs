namespace Samples.WaferFab.Messages;

/// <summary>How a step goes.</summary>
/// <param name="Life">The life of the tool.</param>
/// <param name="Number">Counts what this life sends to the scheduler.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step.</param>
/// <param name="Tick">Counts the ticks of the step from one.</param>
/// <param name="Sensor">Which of the tool's sensors, from one.</param>
/// <param name="Celsius">The temperature.</param>
internal sealed record Reading(string Life, long Number, int Wafer, int Step, int Tick, int Sensor, double Celsius);
