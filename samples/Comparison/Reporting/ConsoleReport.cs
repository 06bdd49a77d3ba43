using System.Globalization;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;
using Spectre.Console;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>What a person sees: the machine, how far it has come, and the table at the end.</summary>
internal sealed class ConsoleReport : IProgressSink
{
    private const int WidthWithoutTerminal = 170;
    private const string EraseLine = "\r\e[2K";

    private readonly IAnsiConsole _console = AnsiConsole.Console;
    private readonly RunPlan _plan;
    private int _finished;

    public ConsoleReport(RunPlan plan)
    {
        _plan = plan;
        if (Console.IsOutputRedirected)
        {
            _console.Profile.Width = WidthWithoutTerminal;
        }
    }

    public void PrintHeader()
    {
        var machine = Machine.Current;
        _console.MarkupLineInterpolated($"[bold]gRPC between two processes, transport by transport[/]");
        _console.WriteLine($"  machine  {machine.Processors} processors, {machine.Processor}; load {Machine.ReadLoad()}");
        _console.WriteLine($"  system   {machine.Kernel}");
        _console.WriteLine($"  runtime  {machine.Runtime}; {machine.Settings}");
        _console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  method   {_plan.Rounds} rounds of {_plan.RoundDuration.TotalSeconds} s, transports taking turns; medians of the rounds"));
        foreach (var transport in _plan.Transports)
        {
            _console.WriteLine($"  {transport.Name,-12} {transport.Description}");
        }

        _console.WriteLine();
    }

    public void Running(Scenario scenario, ITransport transport, string what)
    {
        if (!Console.IsOutputRedirected)
        {
            Console.Out.Write($"{EraseLine}{GetPosition(1)} {scenario.Name}: {transport.Name}, {what}");
        }
    }

    public void ScenarioFinished(IReadOnlyList<Measurement> measurements)
    {
        if (!Console.IsOutputRedirected)
        {
            Console.Out.Write(EraseLine);
        }

        _finished++;
        var scenario = measurements[0].Scenario;
        var figures = measurements.Select(one => $"{one.Transport.Name} {DescribeFigure(scenario, one)}");
        _console.WriteLine($"{GetPosition(0)} {scenario.Name,-14} {string.Join("   ", figures)}");
    }

    public void PrintTable(IReadOnlyList<Measurement> measurements)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("scenario");
        table.AddColumn("transport");
        string[] columns =
        [
            "p50 µs", "p90", "p99", "p99.9", "max", "per second", "MiB/s", "CPU % c / s", "bytes/op c / s", "ratio to uds",
        ];
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        }

        foreach (var scenario in measurements.GroupBy(measurement => measurement.Scenario))
        {
            if (table.Rows.Count > 0)
            {
                table.AddEmptyRow();
            }

            foreach (var measurement in scenario)
            {
                table.AddRow(CreateRow(measurement));
            }
        }

        _console.WriteLine();
        _console.Write(table);
        _console.WriteLine("CPU in percent of one processor; allocated bytes an operation; c client's process, s server's.");
        _console.WriteLine("Ratio: this transport's p50 (less is better) or rate (more is better) through uds', round by round: median (least–most).");
        if (measurements.Any(measurement => measurement.IsNoisy))
        {
            _console.MarkupLine("[yellow]~ Noisy: the rounds lie far apart, so do not trust the figure. Try more rounds, or a quieter machine.[/]");
        }

        _console.WriteLine($"Load at the end: {Machine.ReadLoad()}");
    }

    private static string[] CreateRow(Measurement measurement)
    {
        var scenario = measurement.Scenario;
        var rate = measurement.GetMedian(round => round.Rate);
        return
        [
            scenario.Name,
            measurement.Transport.Name,
            Format(measurement.GetMedian(round => round.P50)),
            Format(measurement.GetMedian(round => round.P90)),
            Format(measurement.GetMedian(round => round.P99)),
            Format(measurement.GetMedian(round => round.P999)),
            Format(measurement.Rounds[0].Maximum is null ? null : measurement.Maximum),
            rate.ToString("N0", CultureInfo.InvariantCulture),
            Format(rate * scenario.BytesPerOperation / (1024 * 1024)),
            $"{measurement.GetMedian(round => round.ClientCpuPercent):0} / {measurement.GetMedian(round => round.ServerCpuPercent):0}",
            $"{measurement.GetMedian(round => round.ClientAllocatedPerOperation):0} / {measurement.GetMedian(round => round.ServerAllocatedPerOperation):0}",
            DescribeRatio(measurement),
        ];
    }

    private static string DescribeFigure(Scenario scenario, Measurement measurement)
    {
        var median = measurement.Figure.Median;
        var figure = scenario.Figure == Figure.P50
            ? $"{Format(median)} µs"
            : $"{median.ToString("N0", CultureInfo.InvariantCulture)}/s";
        return measurement.Transport.Name == TransportRegistry.Baseline || measurement.RatioToBaseline is not { } ratio
            ? figure
            : string.Create(CultureInfo.InvariantCulture, $"{figure} ({ratio.Median:0.00}×)");
    }

    private static string DescribeRatio(Measurement measurement)
    {
        var noise = measurement.IsNoisy ? " ~" : "";
        if (measurement.RatioToBaseline is not { } ratio)
        {
            return "–" + noise;
        }

        if (measurement.Transport.Name == TransportRegistry.Baseline)
        {
            return "1" + noise;
        }

        var name = measurement.Scenario.Figure == Figure.P50 ? "p50" : "rate";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{name} {ratio.Median:0.00} ({ratio.Least:0.00}–{ratio.Most:0.00}){noise}");
    }

    private static string Format(double? value) => value switch
    {
        null => "–",
        >= 100 => value.Value.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
    };

    private string GetPosition(int ahead) => $"[{_finished + ahead}/{_plan.Scenarios.Count}]";
}
