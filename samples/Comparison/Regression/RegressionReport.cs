using System.Globalization;
using GrpcShm.Samples.Comparison.Reporting;
using Spectre.Console;

namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>Prints the measurements that got slower.</summary>
internal static class RegressionReport
{
    private const int NamesShown = 6;
    private const int WidthWithoutTerminal = 170;

    public static void Print(RegressionCheck check)
    {
        var console = AnsiConsole.Console;
        console.WriteLine();
        console.MarkupLine("[bold]Compared with the earlier run[/]");
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthWithoutTerminal;
        }

        ComparedRow[] changed = [.. check.Rows.Where(row => row.Change != Change.None || row.AllocatesMore)];
        if (changed.Length > 0)
        {
            console.Write(CreateTable(changed));
        }

        var slower = check.Rows.Count(row => row.Change == Change.Slower);
        console.WriteLine(slower == 0
            ? $"Nothing got slower, among {check.Rows.Count} measurements."
            : $"{slower} of {check.Rows.Count} measurements got slower by more than the rounds differ.");
        PrintNames("Only in the old run", check.OnlyOld);
        PrintNames("Only in the new run", check.OnlyNew);
        foreach (var doubt in check.Doubts)
        {
            console.MarkupLineInterpolated($"[yellow]{doubt}[/]");
        }
    }

    private static Table CreateTable(IEnumerable<ComparedRow> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("scenario", "transport", "figure");
        string[] columns = ["old", "new", "takes", "ratio to uds, old", "new", "bytes/op, old", "new"];
        table.AddColumns([.. columns.Select(column => new TableColumn(column).RightAligned().NoWrap())]);
        table.AddColumn("");
        var sorted = rows.OrderBy(row => row.Change == Change.Slower ? 0 : 1).ThenByDescending(row => row.Factor);
        foreach (var row in sorted)
        {
            table.AddRow(
                row.New.Scenario,
                row.New.Transport,
                row.New.RatioOf,
                Figures.Format(row.Old.GetFigure()),
                Figures.Format(row.New.GetFigure()),
                Figures.Fine(row.Factor) + "×",
                DescribeRatio(row.Old),
                DescribeRatio(row.New),
                Figures.Format(row.Old.AllocatedBytesPerOp),
                Figures.Format(row.New.AllocatedBytesPerOp),
                Describe(row));
        }

        return table;
    }

    private static string Describe(ComparedRow row)
    {
        var change = row.Change switch
        {
            Change.Slower => "[red]slower[/]",
            Change.SlowerAsAll => "[yellow]slower, as others are[/]",
            Change.Faster => "[green]faster[/]",
            _ => "",
        };
        return row.AllocatesMore ? $"{change} [yellow]allocates more[/]".Trim() : change;
    }

    private static string DescribeRatio(JsonMeasurement measurement) => measurement.RatioToUds is { } ratio
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{ratio:0.00} ({measurement.RatioToUdsMin:0.00}–{measurement.RatioToUdsMax:0.00})")
        : "–";

    private static void PrintNames(string what, IReadOnlyList<string> names)
    {
        if (names.Count > 0)
        {
            var more = names.Count > NamesShown ? ", …" : "";
            AnsiConsole.Console.WriteLine($"{what} ({names.Count}): {string.Join(", ", names.Take(NamesShown))}{more}");
        }
    }
}
