namespace Samples.WaferFab.Messages;

/// <summary>A measurement during a step.</summary>
/// <param name="Life">The life of the tool.</param>
/// <param name="Number">Counts the events of this life to the scheduler.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step.</param>
/// <param name="Tick">Counts the ticks of the step from one.</param>
/// <param name="Sensor">The number of the tool's sensor, from one.</param>
/// <param name="Celsius">The temperature.</param>
internal sealed record Reading(string Life, long Number, int Wafer, int Step, int Tick, int Sensor, double Celsius);
