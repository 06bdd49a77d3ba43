namespace GrpcShm.Samples.Tests.PingPong;

public class PingPongTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("tcp")]
    [InlineData("namedpipe")]
    public async Task Run_OverTransport_LosesNothing(string transport)
    {
        var result = await SampleProcess.RunAsync("PingPong", "--transport", transport, "--rounds", "500", "--json");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(transport, result.Json.GetProperty("transport").GetString());
        Assert.Equal(0, result.Json.GetProperty("lost").GetInt32());
    }

    [Fact]
    public async Task Stream_ThroughThreeProcesses_LosesNothing()
    {
        var result = await SampleProcess.RunAsync(
            "PingPong", "stream", "--warm-up", "1000", "--events", "20000", "--steady", "1");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(0, result.Json.GetProperty("missing").GetInt32());
        Assert.Equal(0, result.Json.GetProperty("out_of_order").GetInt32());
    }
}
