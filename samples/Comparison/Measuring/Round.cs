using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The figures of one run of a scenario over a transport. Latencies are in microseconds.</summary>
internal sealed record Round
{
    public required long Operations { get; init; }

    public required double Rate { get; init; }

    /// <summary>Null for streams in one direction.</summary>
    public LatencyCurve? Latencies { get; init; }

    /// <summary>
    /// The latencies of a load at a fixed rate, from the time of the send instead of the time at which the call was
    /// due.
    /// </summary>
    public LatencyCurve? UncorrectedLatencies { get; init; }

    /// <summary>In percent of one processor.</summary>
    public required double ClientCpuPercent { get; init; }

    /// <summary>In percent of one processor. Null if client and server are one process.</summary>
    public required double? ServerCpuPercent { get; init; }

    public required double ClientAllocatedPerOperation { get; init; }

    /// <summary>Null if client and server are one process.</summary>
    public required double? ServerAllocatedPerOperation { get; init; }

    /// <summary>In percent of one processor. Null if the scenario has no third process.</summary>
    public required double? PeerCpuPercent { get; init; }

    /// <summary>Null if the scenario has no third process.</summary>
    public required double? PeerAllocatedPerOperation { get; init; }

    /// <summary>The doorbells of all processes. Null for transports without doorbells.</summary>
    public required double? DoorbellsPerOperation { get; init; }

    /// <summary>How often a thread of any process slept. Null if the system does not report it.</summary>
    public required double? SleepsPerOperation { get; init; }

    public static Round Create(Scenario scenario, RunResult result, RunUsage usage)
    {
        if (result.Operations == 0)
        {
            throw new ComparisonException(
                $"No operation of {scenario.Name} ended in its time. Give it more time with --seconds.");
        }

        var seconds = result.Elapsed.TotalSeconds;
        double operations = result.Operations;
        return new Round
        {
            Operations = result.Operations,
            Rate = operations / seconds,
            Latencies = result.Latencies?.GetCurve(),
            UncorrectedLatencies = result.Uncorrected?.GetCurve(),
            ClientCpuPercent = 100 * usage.Client.Cpu.TotalSeconds / seconds,
            ServerCpuPercent = 100 * usage.Server?.Cpu.TotalSeconds / seconds,
            ClientAllocatedPerOperation = usage.Client.AllocatedBytes / operations,
            ServerAllocatedPerOperation = usage.Server?.AllocatedBytes / operations,
            PeerCpuPercent = 100 * usage.Peer?.Cpu.TotalSeconds / seconds,
            PeerAllocatedPerOperation = usage.Peer?.AllocatedBytes / operations,
            DoorbellsPerOperation = usage.Doorbells / operations,
            SleepsPerOperation = usage.Sleeps / operations,
        };
    }

    public double Get(Figure figure) => figure == Figure.P50
        ? Latencies?.P50
            ?? throw new InvalidOperationException("A scenario that is compared by latency must record latencies.")
        : Rate;
}
