namespace GrpcShm.Fuzz;

/// <summary>The result of a run.</summary>
internal sealed record FuzzReport(int Seed, IReadOnlyList<TargetReport> Targets)
{
    public long Inputs => Targets.Sum(t => t.Inputs);

    public double Seconds => Math.Round(Targets.Sum(t => t.Seconds), 2);

    public int Found => Targets.Sum(t => t.Found);
}
