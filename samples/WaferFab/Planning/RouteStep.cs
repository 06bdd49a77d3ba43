namespace Samples.WaferFab.Planning;

/// <summary>One step of every wafer's way through the fab.</summary>
/// <param name="Number">Counts from one.</param>
/// <param name="Tool">The machine that does it.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Ticks">Its duration in ticks of the tool's clock. The tool sends a reading at each tick.</param>
internal sealed record RouteStep(int Number, string Tool, string Name, int Ticks);
