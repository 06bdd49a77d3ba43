namespace Samples.WaferFab.Messages;

/// <summary>What a tool is to do.</summary>
/// <param name="Life">
/// The life of the tool that is meant. A command for a life that is over is not obeyed: the scheduler sends it again to
/// the new one, with a number of the new one's.
/// </param>
/// <param name="Number">Counts the commands to this life from one, without a gap.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step of its route.</param>
internal sealed record StepCommand(string Life, long Number, int Wafer, int Step);
