using System.Globalization;
using Spectre.Console;

namespace Samples.PingPong;

/// <summary>The result for people.</summary>
internal static class ConsoleView
{
    public static void Show(RunReport report)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = PlainText.Width;
        }

        AnsiConsole.Write(CreateTable(report));
    }

    public static Table CreateTable(RunReport report)
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
        table.AddRow("writes to the rings, per event", Ratio(report.WritesPerMessage));
        table.AddRow("system calls for these, per event", Ratio(report.DoorbellsPerMessage));
        return table;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Time(double microseconds) => Number(microseconds, "N1") + " µs";

    private static string Ratio(double? value) => value is null ? "–" : Number(value.Value, "0.000");
}
