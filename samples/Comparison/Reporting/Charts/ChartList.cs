using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>All charts of a run.</summary>
internal static class ChartList
{
    public static IReadOnlyList<Chart> Create(IReadOnlyList<Measurement> measurements)
    {
        var latencies = measurements
            .Where(one => one.Scenario.Figure == Figure.P50 && !one.Scenario.IsLoad)
            .GroupBy(one => one.Scenario)
            .Select(group => LatencyChart.Create([.. group]));
        Chart?[] overall = [ThroughputChart.Create(measurements), LoadChart.Create(measurements)];
        return [.. latencies, .. overall.OfType<Chart>()];
    }

    public static async Task WriteSvgAsync(IReadOnlyList<Chart> charts, string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (var chart in charts)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, chart.Name + ".svg"), chart.Svg);
        }
    }
}
