using System.Globalization;
using Samples.WaferFab.Messages;
using Samples.WaferFab.Planning;
using Samples.WaferFab.Scheduling;
using Spectre.Console;

namespace Samples.WaferFab.View;

/// <summary>A table that changes in place, for a person at a terminal.</summary>
internal sealed class LiveView : IFabView
{
    private const int LinesShown = 6;

    // With this the table has eighty columns.
    private const int BarWidth = 5;

    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];

    public void Say(TimeSpan at, string line)
    {
        lock (_gate)
        {
            _lines.Add(string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds,9:N3} s  {line}"));
        }
    }

    public Task ShowAsync(Func<ValueTask<FabPicture?>> take, Task run) =>
        AnsiConsole.Live(new Text("starting …")).StartAsync(async live =>
        {
            using var clock = new PeriodicTimer(Refresh);
            do
            {
                await UpdateAsync();
            }
            while (await Task.WhenAny(run, clock.WaitForNextTickAsync().AsTask()) != run);

            await UpdateAsync();

            async Task UpdateAsync()
            {
                // Without a new picture the last one stays.
                if (await take() is { } picture)
                {
                    live.UpdateTarget(Draw(picture));
                }
            }
        });

    public void Show(FabReport report)
    {
        foreach (var line in Verdict.Lines(report))
        {
            AnsiConsole.MarkupLineInterpolated($"[{(report.IsOk ? "green" : "red")}]{line}[/]");
        }
    }

    /// <summary>Draws the table and the last lines, in eighty columns.</summary>
    internal Rows Draw(FabPicture picture)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("machine", "process", "state", "wafer: step", "")
            .AddColumn(new TableColumn("events").RightAligned());
        var scheduler = picture.States.GetValueOrDefault(SchedulerId.Value, "?");
        table.AddRow(SchedulerId.Value, Number(Environment.ProcessId), State(scheduler), "", "", "");
        foreach (var tool in picture.Fab.Tools)
        {
            table.AddRow(
                tool.Id,
                tool.ProcessId == 0 ? "" : Number(tool.ProcessId),
                State(picture.StateOf(tool)),
                tool.Step == 0 ? "" : $"{tool.Wafer}: {Route.Step(tool.Step).Name}",
                Bar(tool),
                tool.Events.ToString("N0", CultureInfo.InvariantCulture));
        }

        table.Caption(string.Create(
            CultureInfo.InvariantCulture,
            $"{picture.Fab.WafersFinished} of {picture.Fab.Wafers} wafers are back · "
            + $"{picture.EventsPerSecond:N0} events/s"));
        return new Rows(table, LastLines());
    }

    private Rows LastLines()
    {
        lock (_gate)
        {
            return new Rows(_lines.TakeLast(LinesShown).Select(line => new Text(line, Style.Plain)));
        }
    }

    private static string State(string state) => state switch
    {
        "working" or "running" => $"[yellow]{state}[/]",
        "gone" => "[red]gone[/]",
        _ => $"[green]{Markup.Escape(state)}[/]",
    };

    private static string Bar(ToolSnapshot tool)
    {
        if (tool.Step == 0)
        {
            return new string('·', BarWidth);
        }

        var full = Math.Min(BarWidth, tool.Tick * BarWidth / Route.Step(tool.Step).Ticks);
        return new string('█', full) + new string('·', BarWidth - full);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
