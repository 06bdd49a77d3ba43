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
}
