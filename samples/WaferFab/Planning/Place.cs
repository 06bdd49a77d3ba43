namespace Samples.WaferFab.Planning;

/// <summary>A place for one wafer.</summary>
/// <param name="Entry">The step that brings a wafer here: from its start on, the place is taken.</param>
/// <param name="Exit">The step that takes it away: with its end the place is free.</param>
internal sealed record Place(int Entry, int Exit);
