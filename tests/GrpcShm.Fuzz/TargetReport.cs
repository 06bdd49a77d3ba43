namespace GrpcShm.Fuzz;

/// <summary>The result of one target.</summary>
/// <param name="Name">The target.</param>
/// <param name="Inputs">How many inputs it took.</param>
/// <param name="Seconds">How long that took.</param>
/// <param name="Outcomes">How many different outcomes there were.</param>
/// <param name="Found">How many inputs caused a failure.</param>
internal sealed record TargetReport(string Name, long Inputs, double Seconds, int Outcomes, int Found)
{
    public double PerSecond => Math.Round(Inputs / Math.Max(Seconds, 0.001));
}
