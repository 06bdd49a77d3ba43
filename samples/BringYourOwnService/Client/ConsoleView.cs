using System.Globalization;
using Spectre.Console;

namespace Samples.BringYourOwnService.Client;

/// <summary>The output for people.</summary>
internal static class ConsoleView
{
    public static void Show(Report report)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("must work as before", "over " + report.Transport, "");
        foreach (var check in report.Checks)
        {
            table.AddRow(
                Markup.Escape(check.What),
                Markup.Escape(check.Actual),
                check.IsPassed ? "[green]ok[/]" : $"[red]expected {Markup.Escape(check.Expected)}[/]");
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = PlainText.Width;
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"{report.Count - report.Failed} of {report.Count} work.");
        AnsiConsole.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"A call with its key takes {report.MedianMicroseconds:N0} µs over {report.Transport} (median)."));
        if (report.MedianMicrosecondsBeside is { } beside)
        {
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Over the TCP endpoint of the same server a call takes {beside:N0} µs."));
        }
    }
}
