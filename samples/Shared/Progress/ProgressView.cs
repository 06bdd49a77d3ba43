using Spectre.Console;

namespace Samples;

/// <summary>Shows how far a run is: by a bar at a terminal, by a line now and then in a file or a pipe.</summary>
/// <param name="output">Takes the lines.</param>
/// <param name="terminal">Takes the bar; null in a file or a pipe.</param>
/// <param name="interval">The time between two lines.</param>
/// <param name="clock">The clock of the interval.</param>
internal sealed class ProgressView(TextWriter output, IAnsiConsole? terminal, TimeSpan interval, TimeProvider clock)
{
    private const int BarWidth = 24;

    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);

    /// <summary>Makes the view of this process.</summary>
    /// <param name="outputIsForResult">
    /// True if the standard output is for the result alone. Then the progress goes to the standard error.
    /// </param>
    /// <param name="interval">The time between two lines in a file or a pipe.</param>
    public static ProgressView Create(bool outputIsForResult, TimeSpan interval)
    {
        var output = Announcement.ChooseWriter(outputIsForResult);
        var isTerminal = outputIsForResult ? !Console.IsErrorRedirected : !Console.IsOutputRedirected;
        var terminal = isTerminal
            ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) })
            : null;
        return new ProgressView(output, terminal, interval, TimeProvider.System);
    }

    /// <summary>Writes a line beside the bar.</summary>
    public void Say(string line)
    {
        if (terminal is null)
        {
            output.WriteLine(line);
        }
        else
        {
            // The bar is drawn by the same console, which draws it again below the line.
            terminal.WriteLine(line);
        }
    }

    /// <summary>
    /// Starts a run, shows its progress, and waits for its end. If the progress cannot be shown, the run is cancelled.
    /// </summary>
    /// <param name="progress">What the run reports.</param>
    /// <param name="start">Starts the run.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    public Task<T> RunAsync<T>(
        RunProgress progress, Func<CancellationToken, Task<T>> start, CancellationToken cancellationToken) =>
        RunWithView.CompleteAsync(start, run => ShowAsync(progress, run, hasLines: false), cancellationToken);

    /// <summary>As the other overload, for a run without a result.</summary>
    /// <param name="progress">What the run reports.</param>
    /// <param name="start">Starts the run.</param>
    /// <param name="hasLines">True if the run writes lines of its own, so that no others are needed.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    public Task RunAsync(
        RunProgress progress,
        Func<CancellationToken, Task> start,
        bool hasLines,
        CancellationToken cancellationToken)
    {
        return RunWithView.CompleteAsync(
            StartAsync, run => ShowAsync(progress, run, hasLines), cancellationToken);

        async Task<bool> StartAsync(CancellationToken ending)
        {
            await start(ending);
            return true;
        }
    }

    private async Task ShowAsync(RunProgress progress, Task run, bool hasLines)
    {
        if (terminal is not null)
        {
            await ShowBarsAsync(terminal, progress, run);
        }
        else if (!hasLines)
        {
            await ShowLinesAsync(progress, run);
        }
    }

    private async Task ShowLinesAsync(RunProgress progress, Task run)
    {
        using var timer = new PeriodicTimer(interval, clock);
        while (await Task.WhenAny(run, timer.WaitForNextTickAsync().AsTask()) != run)
        {
            output.WriteLine(PlainText.Wrap(progress.Read().ToString(), indent: 2));
        }
    }

    private Task ShowBarsAsync(IAnsiConsole console, RunProgress progress, Task run) => console.Progress()
        .Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = BarWidth },
            new PercentageColumn())
        .StartAsync(async bars =>
        {
            using var timer = new PeriodicTimer(Refresh, clock);
            (string? What, ProgressTask? Bar) shown = default;
            do
            {
                var state = progress.Read();
                if (state.What != shown.What)
                {
                    End(shown.Bar);
                    shown = (state.What, bars.AddTask(state.What, maxValue: Math.Max(1, state.Total)));
                }

                shown.Bar!.IsIndeterminate = state.Total == 0;
                shown.Bar.Description = Markup.Escape(state.ToString());
                shown.Bar.Value = state.Done;
            }
            while (await Task.WhenAny(run, timer.WaitForNextTickAsync().AsTask()) != run);

            if (run.IsCompletedSuccessfully)
            {
                End(shown.Bar);
            }
        });

    private static void End(ProgressTask? bar)
    {
        if (bar is not null)
        {
            bar.IsIndeterminate = false;
            bar.Value = bar.MaxValue;
            bar.StopTask();
        }
    }
}
