using System.Globalization;
using System.Text.RegularExpressions;

namespace GrpcShm.Samples.Tests.WaferFab;

public class WaferFabTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("tcp")]
    [InlineData("namedpipe")]
    public async Task Run_WithAToolKilled_LosesNothing(string transport)
    {
        var result = await SampleProcess.RunAsync("WaferFab", "--transport", transport, "--wafers", "4", "--json");

        AssertIsOk(result, wafers: 4);
        Assert.Equal(transport, result.Json.GetProperty("transport").GetString());
        Assert.Equal("etcher", result.Json.GetProperty("killed").GetString());
    }

    [Theory]
    [InlineData("loadport")]
    [InlineData("robot")]
    [InlineData("cleaner")]
    public async Task Run_WithThatToolKilled_LosesNothing(string tool)
    {
        var result = await SampleProcess.RunAsync("WaferFab", "--wafers", "4", "--kill", tool, "--json");

        AssertIsOk(result, wafers: 4);
        Assert.Equal(tool, result.Json.GetProperty("killed").GetString());
    }

    [Fact]
    public async Task Run_OneWafer_ItsToolIsKilledAllTheSame()
    {
        var result = await SampleProcess.RunAsync("WaferFab", "--wafers", "1", "--kill", "--json");

        AssertIsOk(result, wafers: 1);
        Assert.Equal("etcher", result.Json.GetProperty("killed").GetString());
    }

    [Fact]
    public async Task Run_NoKillAndOutputRedirected_PrintsPlainLines()
    {
        var result = await SampleProcess.RunAsync("WaferFab", "--wafers", "3", "--no-kill");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.StartsWith("OK: ", result.LastLine, StringComparison.Ordinal);
        Assert.Contains("3 of 3 wafers", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', result.Output);
    }

    [Fact]
    public async Task Run_AToolKilled_DurationsAreTheDifferencesOfTheTimesOfTheirLines()
    {
        var result = await SampleProcess.RunAsync("WaferFab", "--wafers", "3");

        Assert.True(result.ExitCode == 0, result.ToString());

        // Wrapped lines are put together again.
        var output = Regex.Replace(result.Output, "\n {13}", " ");
        var killed = Number(output, @"([0-9.]+) s  etcher \(process [0-9]+\) was killed");
        var noticed = Number(output, @"([0-9.]+) s  the bus told the scheduler");
        var back = Number(output, @"([0-9.]+) s  etcher is back");
        AssertIsDifference(noticed - killed, Number(output, "told the scheduler ([0-9.,]+) ms after the kill"));
        AssertIsDifference(back - killed, Number(output, "is back after ([0-9.,]+) ms"));

        // The run is longer than the time of any of its lines.
        var whole = Number(result.Output.ReplaceLineEndings(" "), @"\bin ([0-9.,]+) s +by ");
        Assert.True(back <= whole + 0.05, result.Output);
    }

    [Theory]
    [InlineData("--wafers", "0")]
    [InlineData("--wafers", "many")]
    [InlineData("--transport", "pigeon")]
    [InlineData("--kill", "scheduler")]
    [InlineData("--kill", "--no-kill")]
    public async Task Run_BadInput_NamesIt(string option, string value)
    {
        var result = await SampleProcess.RunAsync("WaferFab", option, value);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Killed_LeavesNoProcess()
    {
        await using var fab = SampleProcess.Start("WaferFab", "--wafers", "100", "--no-kill");
        await fab.ReadUntilAsync(" events/s: ");
        var tools = fab.GetChildren();
        Assert.Equal(4, tools.Count);

        await fab.KillAsync();

        foreach (var tool in tools)
        {
            await tool.WaitForExitAsync().InTime();
            tool.Dispose();
        }
    }

    private static double Number(string text, string pattern)
    {
        var match = Regex.Match(text, pattern);
        Assert.True(match.Success, $"'{pattern}' is not in:\n{text}");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    // The times are printed to a millisecond.
    private static void AssertIsDifference(double seconds, double milliseconds) =>
        Assert.InRange((seconds * 1000) - milliseconds, -1.6, 1.6);

    private static void AssertIsOk(SampleResult result, int wafers)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.True(result.Json.GetProperty("ok").GetBoolean(), result.ToString());
        Assert.Equal(wafers, result.Json.GetProperty("finished").GetInt32());
        Assert.Equal(wafers * 7, result.Json.GetProperty("steps").GetInt32());
        Assert.Equal(0, result.Json.GetProperty("problems").GetArrayLength());
    }
}
