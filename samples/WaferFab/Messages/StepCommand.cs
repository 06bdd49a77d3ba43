namespace Samples.WaferFab.Messages;

/// <summary>A command to a tool.</summary>
/// <param name="Life">The life of the tool for which the command is. A tool ignores a command for an earlier life. The
/// scheduler sends it again to the new life, with a number of the new life.</param>
/// <param name="Number">Counts the commands to this life from one, without a gap.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step of its route.</param>
internal sealed record StepCommand(string Life, long Number, int Wafer, int Step);
