namespace Samples.WaferFab.Planning;

/// <summary>One step of every wafer's way through the fab.</summary>
/// <param name="Number">Counts from one.</param>
/// <param name="Tool">The machine that does it.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Ticks">How long it takes, in ticks of the tool's clock; with each it sends a reading.</param>
internal sealed record RouteStep(int Number, string Tool, string Name, int Ticks);
