using System.Globalization;
using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>Figures as all reports write them.</summary>
internal static class Figures
{
    private const string None = "–";
    private const double GigaByte = 1e9;
    private const double MebiByte = 1024 * 1024;

    /// <summary>A number, with a digit after the point if it is small.</summary>
    public static string Format(double? value) => value switch
    {
        null => None,
        >= 100 => Whole(value),
        _ => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
    };

    public static string Whole(double? value) => value?.ToString("N0", CultureInfo.InvariantCulture) ?? None;

    public static string Fine(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? None;

    public static string DescribeMethod(RunPlan plan) => string.Create(
        CultureInfo.InvariantCulture,
        $"{plan.Rounds} rounds of {plan.RoundDuration.TotalSeconds:0.##} s, transports taking turns; "
        + $"medians of the rounds");

    /// <summary>The parts that a short run leaves out; null if there is time for all.</summary>
    public static string? DescribeLeftOut(RunPlan plan) => plan.LeftOut.Count == 0
        ? null
        : string.Join(", ", plan.LeftOut.Select(scenario => scenario.Name))
            + "; p99.9 and the maximum say little after rounds so short";

    /// <summary>A ratio: the median (least–most).</summary>
    public static string DescribeRatio(Spread ratio) => string.Create(
        CultureInfo.InvariantCulture, $"{ratio.Median:0.00} ({ratio.Least:0.00}–{ratio.Most:0.00})");

    /// <summary>p50, p99, operations a second.</summary>
    public static string[] DescribeSpeed(Measurement measurement) =>
    [
        Format(measurement.Latencies?.P50),
        Format(measurement.Latencies?.P99),
        Whole(measurement.GetMedian(round => round.Rate)),
    ];

    /// <summary>p90, p99.9, maximum, MiB a second.</summary>
    public static string[] DescribeTail(Measurement measurement) =>
    [
        Format(measurement.Latencies?.P90),
        Format(measurement.Latencies?.P999),
        Format(measurement.Maximum),
        Format(measurement.GetMedian(round => round.Rate) * measurement.Scenario.BytesPerOperation / MebiByte),
    ];

    /// <summary>CPU of the client and the server, bytes of both, doorbells, sleeps.</summary>
    public static string[] DescribeCosts(Measurement measurement) =>
    [
        Whole(measurement.GetMedian(round => round.ClientCpuPercent)),
        Whole(measurement.GetMedian(round => round.ServerCpuPercent)),
        Whole(measurement.GetMedian(round => round.ClientAllocatedPerOperation)),
        Whole(measurement.GetMedian(round => round.ServerAllocatedPerOperation)),
        Fine(measurement.GetMedian(round => round.DoorbellsPerOperation)),
        Fine(measurement.GetMedian(round => round.SleepsPerOperation)),
    ];

    /// <summary>What an operation costs each of three processes.</summary>
    public static string[] DescribePeer(Measurement measurement) =>
    [
        Fine(measurement.GetMedian(round => CpuPerOperation(round, round.ClientCpuPercent))),
        Fine(measurement.GetMedian(round => CpuPerOperation(round, round.ServerCpuPercent))),
        Fine(measurement.GetMedian(round => CpuPerOperation(round, round.PeerCpuPercent))),
        Whole(measurement.GetMedian(round => round.PeerAllocatedPerOperation)),
    ];

    /// <summary>The parts of the machine's floor, each with its name.</summary>
    public static IEnumerable<(string Name, string Text)> DescribeFloor(ComparisonResult result)
    {
        double Median(Func<FloorRound, double> select) => result.GetFloor(select).Median;
        yield return (
            "bare rings",
            $"{Fine(Median(one => one.RingP50))} µs, {Format(Median(one => one.RingBytes) / GigaByte)} GB/s");
        yield return (
            "Unix socket",
            $"{Format(Median(one => one.SocketP50))} µs, {Format(Median(one => one.SocketBytes) / GigaByte)} GB/s");
        yield return (
            "memory copy",
            $"{Format(Median(one => one.CopyInCache) / GigaByte)} GB/s in the cache, "
            + $"{Format(Median(one => one.CopyThroughMemory) / GigaByte)} GB/s through memory");
    }

    // In microseconds.
    private static double? CpuPerOperation(Round round, double? percent) => percent * 1e4 / round.Rate;
}
