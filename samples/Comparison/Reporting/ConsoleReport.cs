using System.Globalization;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;
using Spectre.Console;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The output for people: the machine, the progress, and the tables at the end.</summary>
internal sealed class ConsoleReport : IProgressSink
{
    private const int WidthWithoutTerminal = 150;
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
        _console.WriteLine(
            $"  machine  {machine.Processors} processors, {machine.Processor}; load {Machine.ReadLoad()}");
        _console.WriteLine($"  system   {machine.Kernel}");
        _console.WriteLine($"  runtime  {machine.Runtime}; {machine.Settings}");
        _console.WriteLine($"  method   {Figures.DescribeMethod(_plan)}");
        PrintLeftOut();
        _console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  takes    about {Math.Max(1, _plan.Estimate.TotalMinutes):0} min"));
        foreach (var transport in _plan.Transports)
        {
            _console.WriteLine($"  {transport.Name,-14} {transport.Description}");
        }

        _console.WriteLine();
    }

    public void Running(string scenario, ITransport transport, string what)
    {
        if (!Console.IsOutputRedirected)
        {
            Console.Out.Write($"{EraseLine}{GetPosition(1)} {scenario}: {transport.Name} {what}");
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

    public void Print(ComparisonResult result)
    {
        _console.WriteLine();
        PrintTable(
            result,
            ["p50 µs", "p90", "p99", "p99.9", "max", "per second", "MiB/s", "ratio to uds"],
            one => [.. Figures.DescribeSpeed(one), DescribeRatio(one)]);
        _console.WriteLine("""
            Ratio: this transport's p50 (less is better) or rate (more is better), divided by that of uds, round by
            round: median (least–most).
            Loads at a fixed rate (paced-, load-): a call's time begins when the call was due, so a sender that falls
            behind hides nothing.
            """);
        _console.WriteLine();
        PrintTable(
            result,
            ["CPU % client", "server", "bytes/op client", "server", "doorbells/op", "sleeps/op"],
            Figures.DescribeCosts);
        _console.WriteLine("""
            CPU: percent of one processor. Bytes: memory allocated for one operation. Doorbells: system calls that
            wake the other side of a shared-memory connection. Sleeps: how often a thread of either process waited in
            the kernel. In-process has one process only: all its figures stand under client.
            """);
        _console.WriteLine();
        PrintMemory(result);
        PrintFloor(result);
        PrintTrust(result);
    }

    private void PrintTable(ComparisonResult result, string[] columns, Func<Measurement, string[]> createRow)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("scenario").AddColumn("transport");
        table.AddColumns([.. columns.Select(column => new TableColumn(column).RightAligned().NoWrap())]);
        foreach (var scenario in result.Measurements.GroupBy(measurement => measurement.Scenario))
        {
            if (table.Rows.Count > 0)
            {
                table.AddEmptyRow();
            }

            foreach (var measurement in scenario)
            {
                table.AddRow([scenario.Key.Name, measurement.Transport.Name, .. createRow(measurement)]);
            }
        }

        _console.Write(table);
    }

    private void PrintMemory(ComparisonResult result)
    {
        var transports = result.Measurements.DistinctBy(measurement => measurement.Transport)
            .Select(one => string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Transport.Name} {one.Memory.Idle / 1024:N0} / {one.Memory.Loaded / 1024:N0}"));
        _console.WriteLine(
            "Memory of one more connection, in KiB, both processes, after one call / after a load: "
            + string.Join("; ", transports));
    }

    private void PrintFloor(ComparisonResult result)
    {
        var floor = Figures.DescribeFloor(result).Select(part => $"{part.Name} {part.Text}");
        _console.WriteLine($"The machine's floor, without gRPC: {string.Join("; ", floor)}");
    }

    private void PrintTrust(ComparisonResult result)
    {
        if (result.NoisyRows > 0)
        {
            _console.MarkupLine(
                "[yellow]~ Noisy: the rounds lie far apart, so do not trust the figure. "
                + "Try more rounds, or a quieter machine.[/]");
        }

        PrintLeftOut();
        if (result.IsTooNoisy)
        {
            _console.MarkupLineInterpolated(
                $"[red]This run was too noisy to be trusted: {string.Join(", and ", result.Disturbances)}.[/]");
        }

        _console.WriteLine($"Load at the end: {Machine.ReadLoad()}");
    }

    private void PrintLeftOut()
    {
        if (Figures.DescribeLeftOut(_plan) is { } leftOut)
        {
            _console.WriteLine($"  left out {leftOut}");
        }
    }

    private static string DescribeFigure(Scenario scenario, Measurement measurement)
    {
        var median = measurement.Figure.Median;
        var figure = scenario.Figure == Figure.P50
            ? $"{Figures.Format(median)} µs"
            : $"{Figures.Whole(median)}/s";
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

    private string GetPosition(int ahead) => $"[{_finished + ahead}/{_plan.Scenarios.Count}]";
}
