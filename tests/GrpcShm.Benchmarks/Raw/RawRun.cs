using System.Globalization;
using GrpcShm.Samples.Comparison.Floor;
using Spectre.Console;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The machine's floor and every raw transport, taking turns.</summary>
internal sealed class RawRun(IReadOnlyList<IRawTransport> transports, int rounds, TimeSpan turn)
{
    private const double GigaByte = 1e9;

    private readonly List<double> _ringCopies = [];
    private readonly List<double> _largeCopies = [];
    private readonly Dictionary<IRawTransport, List<RawRound>> _rounds = transports.ToDictionary(one => one, _ => new List<RawRound>());

    public void Run()
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-raw-");
        var peers = new List<PeerProcess>();
        try
        {
            foreach (var transport in transports)
            {
                peers.Add(PeerProcess.Start(transport, directory.FullName, RawCommand.PeerName));
            }

            using var copy = new MemoryCopyFloor();
            RawMeter[] meters = [.. peers.Select(peer => new RawMeter(peer.Channel))];
            // The first round only warms up.
            for (var round = 0; round <= rounds; round++)
            {
                Measure(meters, copy, isKept: round > 0);
            }
        }
        finally
        {
            peers.ForEach(peer => peer.Dispose());
            directory.Delete(recursive: true);
        }
    }

    public void Print()
    {
        var console = AnsiConsole.Console;
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} processors, {rounds} rounds of {turn.TotalSeconds} s a figure, medians (ratios round by round)"));
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory copy, one thread: {Median(_ringCopies) / GigaByte:0.00} GB/s in 64 KiB blocks round a 256 KiB ring, {Median(_largeCopies) / GigaByte:0.00} GB/s through 64 MiB"));

        var table = new Table().Border(TableBorder.Simple);
        string[] columns = ["transport", "round trip p50 µs", "p99 µs", "p50 to uds", "GB/s", "to memory copy"];
        table.AddColumns([.. columns.Select(column => new TableColumn(column).NoWrap())]);
        foreach (var (transport, turns) in _rounds)
        {
            table.AddRow(
                transport.Name,
                Format(turns, one => one.P50),
                Format(turns, one => one.P99),
                turns.Exists(one => double.IsNaN(one.BaselineP50)) ? "–" : Format(turns, one => one.P50 / one.BaselineP50),
                Format(turns, one => one.BytesPerSecond / GigaByte),
                Format(turns, one => one.BytesPerSecond / one.MemoryCopy));
        }

        console.Write(table);
    }

    private void Measure(RawMeter[] meters, MemoryCopyFloor copy, bool isKept)
    {
        var ringCopy = copy.MeasureRing(turn);
        var largeCopy = copy.MeasureLarge(turn);
        var trips = Array.ConvertAll(meters, meter => meter.MeasureRoundTrip(turn));
        var bytes = Array.ConvertAll(meters, meter => meter.MeasureBytes(turn));
        if (!isKept)
        {
            return;
        }

        _ringCopies.Add(ringCopy);
        _largeCopies.Add(largeCopy);
        var baseline = double.NaN;
        for (var i = 0; i < meters.Length; i++)
        {
            baseline = transports[i].Name == RawTransports.Baseline ? trips[i].P50 : baseline;
        }

        for (var i = 0; i < meters.Length; i++)
        {
            _rounds[transports[i]].Add(new RawRound(trips[i].P50, trips[i].P99, bytes[i], ringCopy, baseline));
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
