using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The figures of one run of a scenario over a transport. Latencies are in microseconds.</summary>
internal sealed record Round
{
    public required long Operations { get; init; }

    public required double Rate { get; init; }

    public double? P50 { get; init; }

    public double? P90 { get; init; }

    public double? P99 { get; init; }

    public double? P999 { get; init; }

    public double? Maximum { get; init; }

    /// <summary>In percent of one processor.</summary>
    public required double ClientCpuPercent { get; init; }

    /// <summary>In percent of one processor.</summary>
    public required double ServerCpuPercent { get; init; }

    public required double ClientAllocatedPerOperation { get; init; }

    public required double ServerAllocatedPerOperation { get; init; }

    public static Round Create(Scenario scenario, RunResult result, ResourceUsage client, ResourceUsage server)
    {
        if (result.Operations == 0)
        {
            throw new ComparisonException($"Not one operation of {scenario.Name} ended in its time; give it more seconds.");
        }

        return new Round
        {
            Operations = result.Operations,
            Rate = result.Operations / result.Elapsed.TotalSeconds,
            P50 = result.Latencies?.GetPercentile(50),
            P90 = result.Latencies?.GetPercentile(90),
            P99 = result.Latencies?.GetPercentile(99),
            P999 = result.Latencies?.GetPercentile(99.9),
            Maximum = result.Latencies?.Maximum,
            ClientCpuPercent = 100 * client.Cpu.TotalSeconds / result.Elapsed.TotalSeconds,
            ServerCpuPercent = 100 * server.Cpu.TotalSeconds / result.Elapsed.TotalSeconds,
            ClientAllocatedPerOperation = (double)client.AllocatedBytes / result.Operations,
            ServerAllocatedPerOperation = (double)server.AllocatedBytes / result.Operations,
        };
    }

    public double Get(Figure figure) => figure == Figure.P50
        ? P50 ?? throw new InvalidOperationException("A scenario that is compared by latency must record it.")
        : Rate;
}
