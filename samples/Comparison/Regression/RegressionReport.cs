using GrpcShm.Samples.Comparison.Reporting;
using Spectre.Console;

namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>Prints the measurements that got slower.</summary>
internal static class RegressionReport
{
    private const int NamesShown = 6;

    public static void Print(RegressionCheck check)
    {
        var console = AnsiConsole.Console;
        console.WriteLine();
        console.MarkupLine("[bold]Compared with the earlier run[/]");
        ComparedRow[] changed = [.. check.Rows.Where(row => row.Change != Change.None || row.AllocatesMore)];
        if (changed.Length > 0)
        {
            PrintFigures("", "old", "new");
            foreach (var row in changed.OrderBy(row => row.Change == Change.Slower ? 0 : 1)
                .ThenByDescending(row => row.Factor))
            {
                PrintRow(row);
            }

            Console.Out.WriteLine(PlainText.Wrap(
                "Ratio: how many times as fast as the same over a Unix socket (uds). More is better: median "
                    + "(least–most)."));
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

    private static void PrintRow(ComparedRow row)
    {
        AnsiConsole.Console.MarkupLineInterpolated($"[bold]{row.New.Scenario} over {row.New.Transport}[/]");
        Console.Out.WriteLine(PlainText.Wrap($"  {Describe(row)}", indent: 2));
        PrintFigures(row.New.RatioOf, Figures.Format(row.Old.GetFigure()), Figures.Format(row.New.GetFigure()));
        PrintFigures("ratio to uds", DescribeRatio(row.Old), DescribeRatio(row.New));
        PrintFigures(
            "bytes for one operation",
            Figures.Format(row.Old.AllocatedBytesPerOp),
            Figures.Format(row.New.AllocatedBytesPerOp));
    }

    private static void PrintFigures(string name, string old, string now) =>
        Console.Out.WriteLine($"  {name,-24}{old,22}{now,22}");

    private static string Describe(ComparedRow row)
    {
        var change = row.Change switch
        {
            Change.Slower => "slower",
            Change.SlowerAsAll => "slower, as others are",
            Change.Faster => "faster",
            _ => "neither slower nor faster",
        };
        return $"{change}: it takes {Figures.Fine(row.Factor)} times as long"
            + (row.AllocatesMore ? "; it allocates more" : "");
    }

    private static string DescribeRatio(JsonMeasurement measurement) =>
        measurement.GetTimesAsFast() is { } ratio ? Figures.DescribeRatio(ratio) : "–";

    private static void PrintNames(string what, IReadOnlyList<string> names)
    {
        if (names.Count > 0)
        {
            var more = names.Count > NamesShown ? ", …" : "";
            Console.Out.WriteLine(PlainText.Wrap(
                $"{what} ({names.Count}): {string.Join(", ", names.Take(NamesShown))}{more}", indent: 2));
        }
    }
}
