using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Samples.PingPong;

/// <summary>The output for people: the game while it runs, and its result.</summary>
internal static class ConsoleView
{
    /// <summary>Shows the progress until the game is over.</summary>
    public static async Task WatchAsync(TransportKind kind, int rounds, PingPlayer ping, Task play)
    {
        var started = Stopwatch.GetTimestamp();
        await AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(Describe(kind, 0, 0), maxValue: rounds);
                while (!play.IsCompleted)
                {
                    await Task.WhenAny(play, Task.Delay(TimeSpan.FromMilliseconds(250)));
                    bar.Value = ping.Round;
                    bar.Description = Describe(kind, ping.Round, Stopwatch.GetElapsedTime(started).TotalSeconds);
                }
            });
    }

    /// <summary>Shows the result.</summary>
    public static void Show(RunReport report)
    {
        var table = new Table()
            .Border(TableBorder.Rounded)
            .AddColumn("ping-pong")
            .AddColumn(new TableColumn(report.Transport).RightAligned());
        table.AddRow("rounds", Number(report.Rounds, "N0"));
        table.AddRow("lost", report.Lost == 0 ? "[green]0[/]" : $"[red]{report.Lost:N0}[/]");
        table.AddRow("round trips per second", Number(report.PerSecond, "N0"));
        table.AddRow("round trip p50", Time(report.P50Microseconds));
        table.AddRow("round trip p90", Time(report.P90Microseconds));
        table.AddRow("round trip p99", Time(report.P99Microseconds));
        table.AddRow("round trip p99.9", Time(report.P999Microseconds));
        table.AddRow("round trip max", Time(report.MaxMicroseconds));
        table.AddRow("CPU of ping's process", Number(report.ClientCpuPercent, "0") + " %");
        table.AddRow("CPU of pong's process", Number(report.ServerCpuPercent, "0") + " %");
        table.AddRow("memory of ping's process", Number(report.ClientRssMegabytes, "0") + " MB");
        table.AddRow("memory of pong's process", Number(report.ServerRssMegabytes, "0") + " MB");
        table.AddRow("doorbells (system calls) per message", Ratio(report.DoorbellsPerMessage));
        table.AddRow("doorbells saved per message", Ratio(report.DoorbellsSavedPerMessage));
        AnsiConsole.Write(table);
    }

    private static string Describe(TransportKind kind, int round, double seconds) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{kind.ToString().ToLowerInvariant(),-9} {round,10:N0} rounds "
            + $"{(seconds > 0 ? round / seconds : 0),8:N0}/s");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Time(double microseconds) => Number(microseconds, "N1") + " µs";

    private static string Ratio(double? value) => value is null ? "–" : Number(value.Value, "0.000");
}
