namespace GrpcShm.Samples.Tests.XStateNetAdapter;

public class XStateNetAdapterTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("tcp")]
    [InlineData("namedpipe")]
    public async Task Run_OverTransport_AllIsAsExpected(string transport)
    {
        var result = await SampleProcess.RunAsync("XStateNetAdapter", "--transport", transport);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("All as expected.", result.LastLine);
    }
}
