using System.Text.Json.Nodes;

namespace GrpcShm.Samples.Tests.Comparison;

/// <summary>The scenarios whose other machine is in a third process.</summary>
public sealed class ThirdProcessTests : IDisposable
{
    private static readonly string[] Transports = ["xstatenet-pipe", "uds", "shm-native"];
    private static readonly string[] Scenarios = ["events-apart", "events-1000", "machines"];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("third-process-test-");

    [Fact]
    public async Task Run_MachinesInTwoProcesses_HasTheFiguresOfAllThree()
    {
        var file = Path.Combine(_directory.FullName, "run.json");
        var result = await ComparisonTests.ShortRun.StartAsync(
            "--only", string.Join(',', Scenarios), "--transports", string.Join(',', Transports) + ",in-process",
            "--rounds", "1", "--seconds", "0.1", "--no-warm-up", "--json", file);

        Assert.True(result.ExitCode == 0, result.ToString());
        JsonObject[] rows =
        [
            .. JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!.AsArray()
                .Select(row => row!.AsObject())
                .Where(row => row["transport"]!.GetValue<string>() != "floor"),
        ];
        Assert.Equal(
            Scenarios.SelectMany(scenario => Transports.Select(transport => (scenario, transport))),
            rows.Select(row => (row["scenario"]!.GetValue<string>(), row["transport"]!.GetValue<string>())));
        Assert.All(rows, row =>
        {
            Assert.True(row["rate_per_s"]!.GetValue<double>() > 0, row.ToString());
            Assert.True(row["peer_cpu_percent"]!.GetValue<double>() >= 0, row.ToString());
            Assert.True(row["peer_allocated_bytes_per_op"]!.GetValue<double>() > 0, row.ToString());
            Assert.Equal(row["scenario"]!.GetValue<string>() == "events-apart", row["p50_us"] is null);
        });
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
