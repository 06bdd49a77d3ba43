namespace Samples.WaferFab.Planning;

/// <summary>A place for one wafer.</summary>
/// <param name="Entry">The step that brings a wafer here. From the start of this step on, the place is taken.</param>
/// <param name="Exit">The step that takes the wafer away. At the end of this step the place is free.</param>
internal sealed record Place(int Entry, int Exit);
