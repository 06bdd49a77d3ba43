extern alias stress;

using Spectre.Console;
using stress::Samples;

namespace GrpcShm.Samples.Tests.Progress;

public sealed class ProgressTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly ManualClock _clock = new();
    private readonly LineQueue _output = new();
    private readonly TaskCompletionSource _run = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task Show_Piped_PrintsALineAfterEachIntervalUntilTheRunEnds()
    {
        var progress = new RunProgress(_clock);
        progress.Begin("warming up", 2_000);
        progress.Report(500);
        var showing = RunAsync(progress);

        _clock.Advance(Interval - TimeSpan.FromSeconds(1));
        Assert.Equal(0, _output.Count);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("warming up: 500 of 2,000, 3 s", await _output.TakeAsync());

        progress.Begin("playing");
        _run.SetResult();
        await showing.InTime();
        _clock.Advance(Interval);
        Assert.Equal(0, _output.Count);
    }

    [Fact]
    public async Task Show_PartsChange_SaysThePresentOneAndItsOwnTime()
    {
        var progress = new RunProgress(_clock);
        var showing = RunAsync(progress);

        _clock.Advance(TimeSpan.FromSeconds(2));
        progress.Begin("playing", 10, () => 7);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("playing: 7 of 10, 1 s", await _output.TakeAsync());
        _run.SetResult();
        await showing.InTime();
    }

    [Fact]
    public async Task Show_RunHasLinesOfItsOwn_PrintsNone()
    {
        var showing = RunAsync(new RunProgress(_clock), hasLines: true);

        _clock.Advance(Interval);
        _run.SetResult();

        await showing.InTime();
        Assert.Equal(0, _output.Count);
    }

    [Fact]
    public async Task Show_RunFails_ThrowsItsFailure()
    {
        var showing = RunAsync(new RunProgress(_clock));

        _run.SetException(new InvalidOperationException("broken"));

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => showing.InTime());
        Assert.Equal("broken", failure.Message);
    }

    [Fact]
    public async Task Show_ViewFails_CancelsTheRunAndWaitsForItsEndBeforeItThrows()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var progress = new RunProgress(_clock);
        progress.Begin("playing", 10, () => throw new InvalidOperationException("cannot be shown"));
        var running = new ProgressView(_output, terminal: null, Interval, _clock).RunAsync(
            progress,
            async ending =>
            {
                await using var registration = ending.Register(cancelled.SetResult);
                await _run.Task;
                return 1;
            },
            CancellationToken.None);

        _clock.Advance(Interval);
        await cancelled.Task.InTime();
        Assert.False(running.IsCompleted, "The run was left alone.");
        _run.SetCanceled();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => running.InTime());
        Assert.Equal("cannot be shown", failure.Message);
    }

    [Fact]
    public async Task Show_AtATerminal_DrawsABarInsteadOfLines()
    {
        var screen = new StringWriter();
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(screen),
        });
        var progress = new RunProgress(_clock);
        progress.Begin("playing", 10);
        var showing = RunAsync(progress, terminal);

        _run.SetResult();

        await showing.InTime();
        Assert.Contains("playing: 0 of 10", screen.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, _output.Count);
    }

    [Theory]
    [InlineData("one two three", 0, 80, "one two three")]
    [InlineData("one two three", 0, 8, "one two\nthree")]
    [InlineData("one two three", 2, 8, "one two\n  three")]
    [InlineData("1.5 s  one two three", 3, 10, "1.5 s  one\n   two\n   three")]
    [InlineData("a-word-that-is-too-long b", 2, 8, "a-word-that-is-too-long\n  b")]
    public void Wrap_LongText_BreaksBetweenWords(string text, int indent, int width, string expected) =>
        Assert.Equal(expected, PlainText.Wrap(text, indent, width).ReplaceLineEndings("\n"));

    [Theory]
    [InlineData("PingPong", "stream --warm-up 1000 --events 1000 --steady 1", true, "starting the other processes")]
    [InlineData("PingPong", "--rounds 1", false, "starting the second process")]
    [InlineData("BringYourOwnService", "", false, "starting the server")]
    [InlineData("BringYourOwnService", "--json", true, "starting the server")]
    [InlineData("Stress", "--producers 1 --consumers 1 --duration 1s", false, "starting the processes: ")]
    public async Task Run_Piped_PrintsProgress(string sample, string arguments, bool isForPrograms, string expected)
    {
        var result = await SampleProcess.RunAsync(
            sample, [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--progress-seconds", "0.01"]);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("\n" + expected, isForPrograms ? result.Error : result.Output, StringComparison.Ordinal);
    }

    private Task RunAsync(RunProgress progress, IAnsiConsole? terminal = null, bool hasLines = false) =>
        new ProgressView(_output, terminal, Interval, _clock).RunAsync(
            progress, _ => _run.Task, hasLines, CancellationToken.None);
}
