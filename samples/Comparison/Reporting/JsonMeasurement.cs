using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>A measurement as <c>--json</c> writes it, in snake case; README.md documents every property.</summary>
internal sealed partial record JsonMeasurement
{
    /// <summary>The name instead of a transport's for measurements of the machine itself.</summary>
    public const string Floor = "floor";

    public required string Transport { get; init; }

    public required string Scenario { get; init; }

    public required int PayloadBytes { get; init; }

    public required int InFlight { get; init; }

    public required int Connections { get; init; }

    public int? OfferedPerS { get; init; }

    public double? P50Us { get; init; }

    public double? P90Us { get; init; }

    public double? P99Us { get; init; }

    public double? P999Us { get; init; }

    public double? MaxUs { get; init; }

    public double? UncorrectedP50Us { get; init; }

    public double? UncorrectedP99Us { get; init; }

    public double? RatePerS { get; init; }

    public double? BytesPerS { get; init; }

    public double? ClientCpuPercent { get; init; }

    public double? ServerCpuPercent { get; init; }

    public double? PeerCpuPercent { get; init; }

    public double? AllocatedBytesPerOp { get; init; }

    public double? ClientAllocatedBytesPerOp { get; init; }

    public double? ServerAllocatedBytesPerOp { get; init; }

    public double? PeerAllocatedBytesPerOp { get; init; }

    public double? DoorbellsPerOp { get; init; }

    public double? SleepsPerOp { get; init; }

    public long? MemoryPerChannelBytes { get; init; }

    public long? MemoryPerLoadedChannelBytes { get; init; }

    public required string RatioOf { get; init; }

    public double? RatioToUds { get; init; }

    public double? RatioToUdsMin { get; init; }

    public double? RatioToUdsMax { get; init; }

    public required double FigureMin { get; init; }

    public required double FigureMax { get; init; }

    public required double Spread { get; init; }

    public required bool Noisy { get; init; }

    public required bool RunTooNoisy { get; init; }

    public double? OthersCpuPercent { get; init; }

    public required int Rounds { get; init; }

    public long? Operations { get; init; }

    public required int Processors { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    public required DateTimeOffset MeasuredAt { get; init; }

    public static IReadOnlyList<JsonMeasurement> Create(
        ComparisonResult result, Machine machine, DateTimeOffset measuredAt) =>
    [
        .. result.Measurements.Select(measurement => Create(measurement, result, machine, measuredAt)),
        CreateFloor("ring", result, one => one.RingP50, machine, measuredAt) with
        {
            PayloadBytes = RawMeter.MessageSize,
            P50Us = result.GetFloor(one => one.RingP50).Median,
            P99Us = result.GetFloor(one => one.RingP99).Median,
            BytesPerS = result.GetFloor(one => one.RingBytes).Median,
            RatioOf = LatencyFigure,
        },
        CreateFloor("socket", result, one => one.SocketP50, machine, measuredAt) with
        {
            PayloadBytes = RawMeter.MessageSize,
            P50Us = result.GetFloor(one => one.SocketP50).Median,
            P99Us = result.GetFloor(one => one.SocketP99).Median,
            BytesPerS = result.GetFloor(one => one.SocketBytes).Median,
            RatioOf = LatencyFigure,
        },
        CreateFloor("copy-in-cache", result, one => one.CopyInCache, machine, measuredAt) with
        {
            BytesPerS = result.GetFloor(one => one.CopyInCache).Median,
        },
        CreateFloor("copy-through-memory", result, one => one.CopyThroughMemory, machine, measuredAt) with
        {
            BytesPerS = result.GetFloor(one => one.CopyThroughMemory).Median,
        },
    ];

    private static JsonMeasurement Create(
        Measurement measurement, ComparisonResult result, Machine machine, DateTimeOffset measuredAt)
    {
        var scenario = measurement.Scenario;
        var latencies = measurement.Latencies;
        var rate = measurement.GetMedian(round => round.Rate);
        var figure = measurement.Figure;
        return new JsonMeasurement
        {
            Transport = measurement.Transport.Name,
            Scenario = scenario.Name,
            PayloadBytes = scenario.PayloadBytes,
            InFlight = scenario.InFlight,
            Connections = scenario.Connections,
            OfferedPerS = scenario.OfferedPerSecond,
            P50Us = latencies?.P50,
            P90Us = latencies?.P90,
            P99Us = latencies?.P99,
            P999Us = latencies?.P999,
            MaxUs = measurement.Maximum,
            UncorrectedP50Us = measurement.UncorrectedLatencies?.P50,
            UncorrectedP99Us = measurement.UncorrectedLatencies?.P99,
            RatePerS = rate,
            BytesPerS = rate * scenario.BytesPerOperation,
            ClientCpuPercent = measurement.GetMedian(round => round.ClientCpuPercent),
            ServerCpuPercent = measurement.GetMedian(round => round.ServerCpuPercent),
            PeerCpuPercent = measurement.GetMedian(round => round.PeerCpuPercent),
            AllocatedBytesPerOp = measurement.GetMedian(
                round => round.ClientAllocatedPerOperation
                    + (round.ServerAllocatedPerOperation ?? 0)
                    + (round.PeerAllocatedPerOperation ?? 0)),
            ClientAllocatedBytesPerOp = measurement.GetMedian(round => round.ClientAllocatedPerOperation),
            ServerAllocatedBytesPerOp = measurement.GetMedian(round => round.ServerAllocatedPerOperation),
            PeerAllocatedBytesPerOp = measurement.GetMedian(round => round.PeerAllocatedPerOperation),
            DoorbellsPerOp = measurement.GetMedian(round => round.DoorbellsPerOperation),
            SleepsPerOp = measurement.GetMedian(round => round.SleepsPerOperation),
            MemoryPerChannelBytes = measurement.Memory.Idle,
            MemoryPerLoadedChannelBytes = measurement.Memory.Loaded,
            RatioOf = scenario.Figure == Figure.P50 ? LatencyFigure : RateFigure,
            RatioToUds = measurement.RatioToBaseline?.Median,
            RatioToUdsMin = measurement.RatioToBaseline?.Least,
            RatioToUdsMax = measurement.RatioToBaseline?.Most,
            FigureMin = figure.Least,
            FigureMax = figure.Most,
            Spread = figure.Width,
            Noisy = measurement.IsNoisy,
            RunTooNoisy = result.IsTooNoisy,
            OthersCpuPercent = result.OthersCpuPercent,
            Rounds = measurement.Rounds.Count,
            Operations = measurement.Rounds.Sum(round => round.Operations),
            Processors = machine.Processors,
            Kernel = machine.Kernel,
            Runtime = machine.Runtime,
            MeasuredAt = measuredAt,
        };
    }

    private static JsonMeasurement CreateFloor(
        string name,
        ComparisonResult result,
        Func<FloorRound, double> select,
        Machine machine,
        DateTimeOffset measuredAt)
    {
        var figure = result.GetFloor(select);
        return new JsonMeasurement
        {
            Transport = Floor,
            Scenario = name,
            PayloadBytes = RawPeer.BlockSize,
            InFlight = 1,
            Connections = 1,
            RatioOf = BytesFigure,
            FigureMin = figure.Least,
            FigureMax = figure.Most,
            Spread = figure.Width,
            Noisy = figure.Width > Measurement.NoisyWidth,
            RunTooNoisy = result.IsTooNoisy,
            OthersCpuPercent = result.OthersCpuPercent,
            Rounds = result.Floor.Count,
            Processors = machine.Processors,
            Kernel = machine.Kernel,
            Runtime = machine.Runtime,
            MeasuredAt = measuredAt,
        };
    }
}
