namespace GrpcShm.Fuzz;

/// <summary>How one target did.</summary>
/// <param name="Name">The target.</param>
/// <param name="Inputs">How many inputs it took.</param>
/// <param name="Seconds">How long that took.</param>
/// <param name="Outcomes">How many different things became of them.</param>
/// <param name="Found">How many did what none may.</param>
internal sealed record TargetReport(string Name, long Inputs, double Seconds, int Outcomes, int Found)
{
    public double PerSecond => Math.Round(Inputs / Math.Max(Seconds, 0.001));
}
