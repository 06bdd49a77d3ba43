namespace Samples.WaferFab.Messages;

/// <summary>A step is done.</summary>
/// <param name="Life">The life of the tool.</param>
/// <param name="Number">Counts the events of this life to the scheduler.</param>
/// <param name="Wafer">The wafer.</param>
/// <param name="Step">The step.</param>
/// <param name="IsFromJournal">True if an earlier life has done the step, and died before it could report it. The step
/// was not done again.</param>
internal sealed record StepDone(string Life, long Number, int Wafer, int Step, bool IsFromJournal);
