using System.Diagnostics;
using System.Globalization;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;
using Spectre.Console;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The output for people: the machine, the progress, and the tables at the end.</summary>
internal sealed class ConsoleReport : IProgressSink
{
    private const string EraseLine = "\r\e[2K";

    private static readonly string[] CostColumns =
    [
        "CPU %\nclient", "CPU %\nserver",
        "bytes/op\nclient", "bytes/op\nserver",
        "bells\n/op", "sleeps\n/op",
    ];

    private static readonly string[] PeerColumns =
        ["CPU µs/op\nclient", "CPU µs/op\nserver", "CPU µs/op\npeer", "bytes/op\npeer"];

    private readonly IAnsiConsole _console = AnsiConsole.Console;
    private readonly RunPlan _plan;
    private readonly TimeSpan _progressInterval;
    private long _lastLine;
    private int _finished;

    /// <param name="plan">The plan of the run.</param>
    /// <param name="progressInterval">The time between two lines of progress in a file or a pipe.</param>
    public ConsoleReport(RunPlan plan, TimeSpan progressInterval)
    {
        (_plan, _progressInterval) = (plan, progressInterval);
        if (Console.IsOutputRedirected)
        {
            _console.Profile.Width = PlainText.Width;
        }
    }

    public void PrintHeader()
    {
        Announcement.Print(
            Console.Out,
            $"This compares gRPC between two processes over {_plan.Transports.Count} transports, in "
                + $"{_plan.Scenarios.Count} scenarios.",
            "The result is a table of times and rates, with how many times as fast as over a Unix socket each is.",
            _plan.Estimate);
        var machine = Machine.Current;
        PrintTerm("machine", $"{machine.Processors} processors, {machine.Processor}; load {Machine.ReadLoad()}");
        PrintTerm("system", machine.Kernel);
        PrintTerm("runtime", $"{machine.Runtime}; {machine.Settings}");
        PrintTerm("method", Figures.DescribeMethod(_plan));
        PrintLeftOut();
        foreach (var transport in _plan.Transports)
        {
            PrintTerm(transport.Name, transport.Description);
        }

        _console.WriteLine();
        _lastLine = Stopwatch.GetTimestamp();
    }

    // This is a line that the next one replaces, and not a bar of Spectre.Console: a bar is drawn by a thread of its
    // own, which would disturb the measurement.
    public void Running(string scenario, ITransport transport, string what)
    {
        var line = $"{GetPosition(1)} {scenario}: {transport.Name} {what}".TrimEnd();
        if (!Console.IsOutputRedirected)
        {
            Console.Out.Write(EraseLine + line[..Math.Min(line.Length, _console.Profile.Width - 1)]);
        }
        else if (Stopwatch.GetElapsedTime(_lastLine) >= _progressInterval)
        {
            Console.Out.WriteLine(line);
            _lastLine = Stopwatch.GetTimestamp();
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
        Console.Out.WriteLine(PlainText.Wrap(
            $"{GetPosition(0)} {scenario.Name}: {string.Join(", ", figures)}", indent: 4));
        _lastLine = Stopwatch.GetTimestamp();
    }

    public void Print(ComparisonResult result)
    {
        _console.WriteLine();
        PrintTable(
            result,
            ["p50 µs", "p99 µs", "per second", "ratio to uds"],
            one => [.. Figures.DescribeSpeed(one), DescribeRatio(one)],
            scenario => scenario.Figure == Figure.P50 ? "by p50" : "by the rate");
        Print("Ratio: how many times as fast as the same over a Unix socket (uds). More is better: 2 is twice as "
            + "fast, 0.5 is half as fast. A scenario is compared by its p50 or by its rate, round by round: "
            + "median (least–most).");
        Print("In loads at a fixed rate (paced-, load-) a call's time begins when the call was due, so a sender that "
            + "falls behind hides nothing.");
        _console.WriteLine();
        PrintTable(result, ["p90 µs", "p99.9 µs", "max µs", "MiB/s"], Figures.DescribeTail);
        PrintTable(
            result,
            CostColumns,
            Figures.DescribeCosts);
        Print("CPU: percent of one processor. Bytes: memory allocated for one operation. Bells: doorbells, the system "
            + "calls that wake the other side of a shared-memory connection. Sleeps: how often a thread of either "
            + "process waited in the kernel. In-process has one process only: all its figures stand under client.");
        _console.WriteLine();
        PrintPeers(result);
        PrintMemory(result);
        PrintFloor(result);
        PrintTrust(result);
    }

    private void PrintPeers(ComparisonResult result)
    {
        Measurement[] apart = [.. result.Measurements.Where(one => one.Scenario.NeedsPeer)];
        if (apart.Length > 0)
        {
            PrintTable(result with { Measurements = apart }, PeerColumns, Figures.DescribePeer);
            Print("Peer: the third process, which has the other machine of these scenarios.");
            _console.WriteLine();
        }
    }

    private static void Print(string text) => Console.Out.WriteLine(PlainText.Wrap(text));

    private static void PrintTerm(string term, string description) =>
        Console.Out.WriteLine(PlainText.Wrap($"  {term,-14} {description}", indent: 17));

    /// <summary>
    /// Prints a table that fits into eighty columns: a scenario has a row of its own above its transports.
    /// </summary>
    private void PrintTable(
        ComparisonResult result,
        string[] columns,
        Func<Measurement, string[]> createRow,
        Func<Scenario, string>? describe = null)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("transport").NoWrap());
        table.AddColumns([.. columns.Select(column => new TableColumn(column).RightAligned().NoWrap().PadLeft(0))]);
        foreach (var scenario in result.Measurements.GroupBy(measurement => measurement.Scenario))
        {
            if (table.Rows.Count > 0)
            {
                table.AddEmptyRow();
            }

            table.AddRow(
            [
                $"[bold]{scenario.Key.Name}[/]",
                .. Enumerable.Repeat("", columns.Length - 1),
                describe?.Invoke(scenario.Key) ?? "",
            ]);
            foreach (var measurement in scenario)
            {
                table.AddRow(["  " + measurement.Transport.Name, .. createRow(measurement)]);
            }
        }

        _console.Write(table);
    }

    private static void PrintMemory(ComparisonResult result)
    {
        var transports = result.Measurements.DistinctBy(measurement => measurement.Transport)
            .Select(one => string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Transport.Name} {one.Memory.Idle / 1024:N0} / {one.Memory.Loaded / 1024:N0}"));
        Print("Memory of one more connection, in KiB, both processes, after one call / after a load: "
            + string.Join("; ", transports));
    }

    private static void PrintFloor(ComparisonResult result)
    {
        var floor = Figures.DescribeFloor(result).Select(part => $"{part.Name} {part.Text}");
        Print($"The machine's floor, without gRPC: {string.Join("; ", floor)}");
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
            PrintTerm("left out", leftOut);
        }
    }

    private static string DescribeFigure(Scenario scenario, Measurement measurement)
    {
        var median = measurement.Figure.Median;
        var figure = scenario.Figure == Figure.P50
            ? $"{Figures.Format(median)} µs"
            : $"{Figures.Whole(median)}/s";
        return measurement.Transport.Name == TransportRegistry.Baseline || measurement.TimesAsFast is not { } ratio
            ? figure
            : string.Create(CultureInfo.InvariantCulture, $"{figure} ({ratio.Median:0.00}×)");
    }

    private static string DescribeRatio(Measurement measurement)
    {
        var noise = measurement.IsNoisy ? " ~" : "";
        if (measurement.TimesAsFast is not { } ratio)
        {
            return "–" + noise;
        }

        if (measurement.Transport.Name == TransportRegistry.Baseline)
        {
            return "1" + noise;
        }

        return Figures.DescribeRatio(ratio) + noise;
    }

    private string GetPosition(int ahead) => $"[{_finished + ahead}/{_plan.Scenarios.Count}]";
}
