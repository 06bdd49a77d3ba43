namespace GrpcShm.Samples.Tests.BringYourOwnService;

public class BringYourOwnServiceTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("tcp")]
    [InlineData("namedpipe")]
    public async Task Run_OverTransport_EverythingWorks(string transport)
    {
        var result = await SampleProcess.RunAsync("BringYourOwnService", "--transport", transport, "--json");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(transport, result.Json.GetProperty("transport").GetString());
        Assert.Equal(0, result.Json.GetProperty("failed").GetInt32());
        Assert.True(result.Json.GetProperty("checks").GetInt32() >= 10, result.ToString());
    }

    [Fact]
    public async Task Run_WithoutArguments_SaysWhatItFound()
    {
        var result = await SampleProcess.RunAsync("BringYourOwnService");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("12 of 12 work.", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_UnknownTransport_SaysWhichThereAre()
    {
        var result = await SampleProcess.RunAsync("BringYourOwnService", "--transport", "pigeon");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("'pigeon'", result.Error, StringComparison.Ordinal);
        Assert.Contains("'shm'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Readme_LinesToAdd_AreThoseOfTheProgramAndOfTheMainReadme()
    {
        var root = SourceTree.Root;
        var folder = Path.Combine(root, "samples", "BringYourOwnService");
        var added = File.ReadLines(Path.Combine(folder, "README.md"))
            .Where(line => line.StartsWith('+') && !line.Contains('<', StringComparison.Ordinal))
            .Select(line => line[1..].Trim());
        var program = File.ReadAllText(Path.Combine(folder, "Server", "GreeterServer.cs"))
            + File.ReadAllText(Path.Combine(folder, "Client", "GreeterRun.cs"));
        var readme = File.ReadAllText(Path.Combine(root, "README.md"));

        Assert.NotEmpty(added);
        Assert.All(added, line =>
        {
            // The names of the endpoint differ.
            var code = line.Split("\"shm:greeter\"")[0].Split("\"greeter\"")[0]
                .Replace("using var channel = ", "", StringComparison.Ordinal);
            Assert.Contains(code, program, StringComparison.Ordinal);
            Assert.Contains(code, readme, StringComparison.Ordinal);
        });
    }
}
