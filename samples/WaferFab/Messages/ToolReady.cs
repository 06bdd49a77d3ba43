namespace Samples.WaferFab.Messages;

/// <summary>A tool is ready for commands.</summary>
/// <param name="Life">Identifies the tool's process in its life.</param>
/// <param name="Number">Counts the events of this life to the scheduler from one, without a gap.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="StepsInJournal">The number of steps of earlier lives in its journal.</param>
internal sealed record ToolReady(string Life, long Number, int ProcessId, int StepsInJournal);
