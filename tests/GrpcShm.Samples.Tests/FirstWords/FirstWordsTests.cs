using GrpcShm.Samples.Tests.Comparison;

namespace GrpcShm.Samples.Tests.FirstWords;

/// <summary>What each sample says before it does anything, and how wide its output is.</summary>
public sealed class FirstWordsTests
{
    private const int Columns = 80;

    [Theory]
    [InlineData("Two state machines in two processes", "PingPong", "--rounds 1")]
    [InlineData("Two state machines in two processes", "PingPong", "--rounds 1 --json")]
    [InlineData("This process sends", "PingPong", "stream --warm-up 1 --events 1 --steady 0")]
    [InlineData("This process calls", "BringYourOwnService", "")]
    [InlineData("This process calls", "BringYourOwnService", "--json")]
    [InlineData("A scheduler and four tools", "WaferFab", "--wafers 1")]
    [InlineData("A scheduler and four tools", "WaferFab", "--wafers 1 --json")]
    [InlineData("An orchestrator", "XStateNetAdapter", "")]
    [InlineData("Producers (1) send events", "Stress", "--producers 1 --consumers 1 --duration 4s")]
    [InlineData("Producers (1) send events", "Stress", "--producers 1 --consumers 1 --duration 1s --json")]
    [InlineData(
        "This compares",
        "Comparison",
        "--only unary-1,unary-16,load-2000 --transports uds,xstatenet-pipe --rounds 1 --seconds 0.05 --no-warm-up")]
    public async Task Run_Started_SaysWhatItDoesBeforeItStartsAProcess(
        string words, string sample, string arguments)
    {
        using var directory = new TempDirectory();
        var file = directory.File("first-words");

        var result = await SampleProcess.RunAsync(
            sample == "Comparison" ? ComparisonTests.ShortRun.Program : sample,
            arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            new Dictionary<string, string>
            {
                [FirstWordsWriter.FileVariable] = file,
                [FirstWordsWriter.HooksVariable] = typeof(FirstWordsTests).Assembly.Location,
            });

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.StartsWith("0 " + words, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        var isForPrograms = arguments.Contains("--json", StringComparison.Ordinal)
            || arguments.StartsWith("stream", StringComparison.Ordinal);
        AssertIsAnnouncement(words, isForPrograms ? result.Error : result.Output);
        if (isForPrograms)
        {
            Assert.Equal(result.LastLine, result.Output.TrimEnd());
            Assert.Equal(System.Text.Json.JsonValueKind.Object, result.Json.ValueKind);
        }
        else
        {
            AssertIsNarrow(result.Output);
        }

        AssertIsNarrow(result.Error);
    }

    /// <summary>It says what it does, what it will show, and how long it takes; then an empty line.</summary>
    private static void AssertIsAnnouncement(string words, string output)
    {
        var announcement = output.Split("\n\n")[0].ReplaceLineEndings(" ");
        Assert.StartsWith(words, announcement, StringComparison.Ordinal);
        Assert.Matches("(The result is|You will see) .*It takes about [0-9]+ (s|min) on an idle machine", announcement);
    }

    private static void AssertIsNarrow(string output)
    {
        var lines = output.Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= Columns, $"{line.Length} columns: {line}"));

        // Spectre.Console cuts words that it has no room for.
        Assert.DoesNotContain("…", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', output);
    }
}
