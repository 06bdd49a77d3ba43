namespace Samples.WaferFab.Messages;

/// <summary>A step is done.</summary>
/// <param name="Life">The life of the tool.</param>
/// <param name="Number">Counts what this life sends to the scheduler.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step.</param>
/// <param name="IsFromJournal">
/// The step had been done in an earlier life, which died before it could say so. It was not done again.
/// </param>
internal sealed record StepDone(string Life, long Number, int Wafer, int Step, bool IsFromJournal);
