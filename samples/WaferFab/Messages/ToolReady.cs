namespace Samples.WaferFab.Messages;

/// <summary>A tool is ready for commands.</summary>
/// <param name="Life">Identifies the tool's process in its life.</param>
/// <param name="Number">Counts what this life sends to the scheduler from one, without a gap.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="StepsInJournal">How many steps its journal says it has done in earlier lives.</param>
internal sealed record ToolReady(string Life, long Number, int ProcessId, int StepsInJournal);
