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
        Assert.NotNull(await fab.ReadLineAsync());
        var tools = fab.GetChildren();
        Assert.Equal(4, tools.Count);

        await fab.KillAsync();

        foreach (var tool in tools)
        {
            await tool.WaitForExitAsync().InTime();
            tool.Dispose();
        }
    }

    private static void AssertIsOk(SampleResult result, int wafers)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.True(result.Json.GetProperty("ok").GetBoolean(), result.ToString());
        Assert.Equal(wafers, result.Json.GetProperty("finished").GetInt32());
        Assert.Equal(wafers * 7, result.Json.GetProperty("steps").GetInt32());
        Assert.Equal(0, result.Json.GetProperty("problems").GetArrayLength());
    }
}
