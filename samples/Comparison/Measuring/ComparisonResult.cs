using GrpcShm.Samples.Comparison.Floor;
using static System.FormattableString;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>All that a comparison has measured.</summary>
/// <param name="Measurements">Scenario by scenario.</param>
/// <param name="Floor">The limits of the machine itself, over the time of the run.</param>
/// <param name="OthersCpuPercent">The processor time of other processes, in percent of one processor; null if the
/// system does not report it.</param>
internal sealed record ComparisonResult(
    IReadOnlyList<Measurement> Measurements, IReadOnlyList<FloorRound> Floor, double? OthersCpuPercent)
{
    private const double MostNoisyRows = 1.0 / 3;
    private const double MostOthersCpu = 25;

    public int NoisyRows => Measurements.Count(measurement => measurement.IsNoisy);

    /// <summary>The reasons not to trust the figures as a whole; empty if there are none.</summary>
    public IReadOnlyList<string> Disturbances =>
    [
        .. NoisyRows > Measurements.Count * MostNoisyRows
            ? (string[])[$"in {NoisyRows} of {Measurements.Count} rows the rounds lie far apart"]
            : [],
        .. OthersCpuPercent > MostOthersCpu
            ? (string[])[Invariant($"other processes took {OthersCpuPercent:0} % of a processor meanwhile")]
            : [],
    ];

    public bool IsTooNoisy => Disturbances.Count > 0;

    public Spread GetFloor(Func<FloorRound, double> select) => Spread.Of(Floor.Select(select));
}
