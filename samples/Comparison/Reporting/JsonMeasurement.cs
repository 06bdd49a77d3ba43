using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>A measurement as <c>--json</c> writes it, in snake case; README.md documents every property.</summary>
internal sealed record JsonMeasurement
{
    public required string Transport { get; init; }

    public required string Scenario { get; init; }

    public required int PayloadBytes { get; init; }

    public required int InFlight { get; init; }

    public required int Connections { get; init; }

    public required double? P50Us { get; init; }

    public required double? P90Us { get; init; }

    public required double? P99Us { get; init; }

    public required double? P999Us { get; init; }

    public required double? MaxUs { get; init; }

    public required double RatePerS { get; init; }

    public required double BytesPerS { get; init; }

    public required double ClientCpuPercent { get; init; }

    public required double ServerCpuPercent { get; init; }

    public required double AllocatedBytesPerOp { get; init; }

    public required double ClientAllocatedBytesPerOp { get; init; }

    public required double ServerAllocatedBytesPerOp { get; init; }

    public required string RatioOf { get; init; }

    public required double? RatioToUds { get; init; }

    public required double? RatioToUdsMin { get; init; }

    public required double? RatioToUdsMax { get; init; }

    public required double Spread { get; init; }

    public required bool Noisy { get; init; }

    public required int Rounds { get; init; }

    public required long Operations { get; init; }

    public required int Processors { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    public required DateTimeOffset MeasuredAt { get; init; }

    public static JsonMeasurement Create(Measurement measurement, Machine machine, DateTimeOffset measuredAt)
    {
        var scenario = measurement.Scenario;
        var rate = measurement.GetMedian(round => round.Rate);
        return new JsonMeasurement
        {
            Transport = measurement.Transport.Name,
            Scenario = scenario.Name,
            PayloadBytes = scenario.PayloadBytes,
            InFlight = scenario.InFlight,
            Connections = scenario.Connections,
            P50Us = measurement.GetMedian(round => round.P50),
            P90Us = measurement.GetMedian(round => round.P90),
            P99Us = measurement.GetMedian(round => round.P99),
            P999Us = measurement.GetMedian(round => round.P999),
            MaxUs = measurement.Rounds[0].Maximum is null ? null : measurement.Maximum,
            RatePerS = rate,
            BytesPerS = rate * scenario.BytesPerOperation,
            ClientCpuPercent = measurement.GetMedian(round => round.ClientCpuPercent),
            ServerCpuPercent = measurement.GetMedian(round => round.ServerCpuPercent),
            AllocatedBytesPerOp = measurement.GetMedian(
                round => round.ClientAllocatedPerOperation + round.ServerAllocatedPerOperation),
            ClientAllocatedBytesPerOp = measurement.GetMedian(round => round.ClientAllocatedPerOperation),
            ServerAllocatedBytesPerOp = measurement.GetMedian(round => round.ServerAllocatedPerOperation),
            RatioOf = scenario.Figure == Figure.P50 ? "p50_us" : "rate_per_s",
            RatioToUds = measurement.RatioToBaseline?.Median,
            RatioToUdsMin = measurement.RatioToBaseline?.Least,
            RatioToUdsMax = measurement.RatioToBaseline?.Most,
            Spread = measurement.Figure.Width,
            Noisy = measurement.IsNoisy,
            Rounds = measurement.Rounds.Count,
            Operations = measurement.Rounds.Sum(round => round.Operations),
            Processors = machine.Processors,
            Kernel = machine.Kernel,
            Runtime = machine.Runtime,
            MeasuredAt = measuredAt,
        };
    }
}
