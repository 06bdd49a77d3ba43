using System.Globalization;
using GrpcShm.Samples.Comparison.Floor;
using Spectre.Console;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The machine's floor and every raw transport, taking turns.</summary>
internal sealed class RawRun(IReadOnlyList<IRawTransport> transports, int rounds, TimeSpan turn)
{
    private const double GigaByte = 1e9;
    private const int WidthWithoutTerminal = 120;

    private readonly List<double> _ringCopies = [];
    private readonly List<double> _largeCopies = [];
    private readonly List<(string Name, List<RawRound> Turns)> _rounds = [];
    private string? _compiler;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-raw-");
        var peers = new List<PeerProcess>();
        try
        {
            foreach (var transport in transports)
            {
                peers.Add(await PeerProcess.StartAsync(
                    transport, directory.FullName, RawCommand.PeerName, cancellationToken));
            }

            using var copy = new MemoryCopyFloor();
            List<IRawMeter> meters =
                [.. transports.Zip(peers, (transport, peer) => new TransportMeter(transport, peer))];
            if (CompiledRing.TryCompile(directory.FullName) is { } compiled)
            {
                meters.Add(compiled);
                _compiler = compiled.Compiler;
            }

            _rounds.AddRange(meters.Select(meter => (meter.Name, new List<RawRound>())));

            // The first round only warms up.
            for (var round = 0; round <= rounds; round++)
            {
                Measure(meters, copy, isKept: round > 0);
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }

            directory.Delete(recursive: true);
        }
    }

    public void Print()
    {
        var console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthWithoutTerminal;
        }

        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} processors, {rounds} rounds of {turn.TotalSeconds} s a figure, "
            + $"medians (ratios round by round)"));
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory copy, one thread: {Median(_ringCopies) / GigaByte:0.00} GB/s in 64 KiB blocks "
            + $"round a 256 KiB ring, {Median(_largeCopies) / GigaByte:0.00} GB/s through 64 MiB"));

        var table = new Table().Border(TableBorder.Simple);
        string[] columns = ["transport", "round trip p50 µs", "p99 µs", "p50 to uds", "GB/s", "to memory copy"];
        table.AddColumns([.. columns.Select(column => new TableColumn(column).NoWrap())]);
        foreach (var (name, turns) in _rounds)
        {
            table.AddRow(
                name,
                Format(turns, one => one.P50),
                Format(turns, one => one.P99),
                turns.Exists(one => double.IsNaN(one.BaselineP50))
                    ? "–"
                    : Format(turns, one => one.P50 / one.BaselineP50),
                Format(turns, one => one.BytesPerSecond / GigaByte),
                Format(turns, one => one.BytesPerSecond / one.MemoryCopy));
        }

        console.Write(table);
        console.WriteLine(_compiler is null
            ? "There is no C compiler (cc, gcc, clang), or this is not Linux, so there is no comparison with C."
            : $"ring-bare in C was compiled by {_compiler} -O2.");
    }

    private void Measure(List<IRawMeter> meters, MemoryCopyFloor copy, bool isKept)
    {
        var ringCopy = copy.MeasureRing(turn);
        var largeCopy = copy.MeasureLarge(turn);
        var trips = meters.ConvertAll(meter => meter.MeasureRoundTrip(turn));
        var bytes = meters.ConvertAll(meter => meter.MeasureBytes(turn));
        if (!isKept)
        {
            return;
        }

        _ringCopies.Add(ringCopy);
        _largeCopies.Add(largeCopy);
        var baseline = meters.FindIndex(meter => meter.Name == RawTransports.Baseline);
        for (var i = 0; i < meters.Count; i++)
        {
            _rounds[i].Turns.Add(new RawRound(
                trips[i].P50, trips[i].P99, bytes[i], ringCopy, baseline < 0 ? double.NaN : trips[baseline].P50));
        }
    }

    private static string Format(List<RawRound> turns, Func<RawRound, double> select) =>
        Median(turns.Select(select)).ToString("0.00", CultureInfo.InvariantCulture);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
