namespace GrpcShm.Samples.Tests.Stress;

public class StressTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("tcp")]
    [InlineData("namedpipe")]
    public async Task Run_ProcessesAreKilled_LosesNothing(string transport)
    {
        var result = await RunAsync(
            "--duration", "8s", "--kill-interval", "1s", "--rate", "200", "--transport", transport);

        AssertIsOk(result);
        Assert.Equal(transport, result.Json.GetProperty("transport").GetString());
        Assert.InRange(result.Json.GetProperty("kills").GetInt32(), 1, 100);
    }

    [Fact]
    public async Task Run_OverLanesAndProcessesAreKilled_LosesNothing()
    {
        var result = await RunAsync("--duration", "8s", "--kill-interval", "2s", "--rate", "200", "--lanes");

        AssertIsOk(result);
        Assert.NotEqual(0, result.Json.GetProperty("over_lanes").GetInt64());
        Assert.InRange(result.Json.GetProperty("kills").GetInt32(), 1, 100);
    }

    [Fact]
    public async Task Run_OverLanesAndNoneIsKilled_NothingFailsAndNothingIsSentAgain()
    {
        var result = await RunAsync("--duration", "3s", "--rate", "0", "--lanes");

        AssertIsOk(result);
        Assert.NotEqual(0, result.Json.GetProperty("over_lanes").GetInt64());
        Assert.Equal(0, result.Json.GetProperty("sent_again").GetInt64());
        Assert.Equal(0, result.Json.GetProperty("duplicates_dropped").GetInt64());
    }

    [Fact]
    public async Task Run_NoneIsKilled_NothingFailsAndNothingIsSentAgain()
    {
        var result = await RunAsync("--duration", "3s", "--rate", "0");

        AssertIsOk(result);
        Assert.Equal(0, result.Json.GetProperty("kills").GetInt32());
        Assert.Equal(0, result.Json.GetProperty("sent_again").GetInt64());
        Assert.Equal(0, result.Json.GetProperty("duplicates_dropped").GetInt64());
    }

    [Theory]
    [InlineData("--producers", "0")]
    [InlineData("--consumers", "many")]
    [InlineData("--duration", "soon")]
    [InlineData("--kill-interval", "0s")]
    [InlineData("--transport", "pigeon")]
    public async Task Run_BadInput_NamesIt(string option, string value)
    {
        var result = await SampleProcess.RunAsync("Stress", option, value);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Killed_LeavesNoProcess()
    {
        await using var stress = SampleProcess.Start(
            "Stress", "--producers", "2", "--consumers", "2", "--duration", "10m", "--rate", "100");

        // The line of the rates, after its time. The first words of the sample have the word, too.
        await stress.ReadUntilAsync("  processed ");
        var processes = stress.GetChildren();
        Assert.Equal(5, processes.Count);

        await stress.KillAsync();

        foreach (var process in processes)
        {
            await process.WaitForExitAsync().InTime();
            process.Dispose();
        }
    }

    private static Task<SampleResult> RunAsync(params string[] arguments) => SampleProcess.RunAsync(
        "Stress", ["--producers", "2", "--consumers", "2", "--json", .. arguments]);

    private static void AssertIsOk(SampleResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.True(result.Json.GetProperty("ok").GetBoolean(), result.ToString());
        Assert.Equal(0, result.Json.GetProperty("lost").GetInt64());
        Assert.Equal(0, result.Json.GetProperty("corrupt").GetInt64());
        Assert.NotEqual(0, result.Json.GetProperty("processed").GetInt64());
        Assert.Equal(5, result.Json.GetProperty("processes").GetArrayLength());
    }
}
