using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace GrpcShm.Samples.Tests.Comparison;

/// <summary>
/// One short comparison, and its output. The tests do not check the measured values, since the machine is too busy for
/// this.
/// </summary>
public sealed partial class ComparisonTests : IClassFixture<ComparisonTests.ShortRun>
{
    private const int RegressionExitCode = 3;

    private readonly ShortRun _run;

    public ComparisonTests(ShortRun run) => _run = run;

    [Fact]
    public void Json_EveryTransportAndScenario_HasItsFigures()
    {
        var rows = ReadRows();

        Assert.Equal(3 * ShortRun.Transports.Length, rows.Count(row => Text(row, "transport") != "floor"));
        Assert.Equal(
            ["copy-in-cache", "copy-through-memory", "ring", "socket"],
            rows.Where(row => Text(row, "transport") == "floor").Select(row => Text(row, "scenario")).Order());
        foreach (var row in rows.Where(row => Text(row, "transport") != "floor"))
        {
            Assert.True(row["rate_per_s"]!.GetValue<double>() > 0, row.ToString());
            Assert.True(row["client_cpu_percent"]!.GetValue<double>() >= 0, row.ToString());
            Assert.True(row["memory_per_loaded_channel_bytes"]!.GetValue<long>() >= 0, row.ToString());
            Assert.NotNull(row["ratio_to_uds"]);
            Assert.Equal(Text(row, "transport") == "shm-http2", row["doorbells_per_op"] is not null);
            Assert.Equal(Text(row, "transport") == "in-process", row["server_cpu_percent"] is null);
            Assert.Equal(Text(row, "scenario") == "load-2000", row["uncorrected_p50_us"] is not null);
            Assert.Equal(Text(row, "scenario") == "events", row["p50_us"] is null);
        }
    }

    [Fact]
    public void Json_EveryProperty_IsDocumented()
    {
        var table =
            File.ReadAllText(Path.Combine(ShortRun.Folder, "README.md")).Split("## The JSON file")[1].Split("\n## ")[0];
        var documented = table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Name().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value))
            .Order();

        Assert.Equal(documented, ReadRows()[0].Select(property => property.Key).Order());
    }

    [Fact]
    public void Report_OnePage_HoldsEveryChartAndNothingFromElsewhere()
    {
        var page = File.ReadAllText(Path.Combine(_run.ReportFolder, "index.html"));
        var charts = Directory.GetFiles(_run.ReportFolder, "*.png");

        Assert.Equal(
            ["latency-unary-1.png", "throughput.png"],
            charts.Select(Path.GetFileName).Order());
        foreach (var chart in charts)
        {
            var png = File.ReadAllBytes(chart);
            Assert.Equal("PNG"u8.ToArray(), png[1..4]);
            Assert.Contains(Convert.ToBase64String(png), page, StringComparison.Ordinal);
        }

        Assert.All(
            Source().Matches(page),
            match => Assert.StartsWith("data:", match.Groups[1].Value, StringComparison.Ordinal));
        Assert.All(ShortRun.Transports, transport => Assert.Contains($">{transport}<", page, StringComparison.Ordinal));
        Assert.DoesNotContain("://", Source().Replace(page, ""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_WithItself_FindsNothing()
    {
        var result = await ShortRun.StartAsync("compare", _run.JsonFile, _run.JsonFile, "--fail-on-regression");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("Nothing got slower", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_EarlierRunWasFaster_NamesWhatGotSlowerAndFailsIfAskedTo()
    {
        var old = _run.WriteChanged(row =>
        {
            if (Text(row, "transport") == "shm-http2" && Text(row, "scenario") == "unary-1")
            {
                Scale(
                    row,
                    0.1,
                    "p50_us",
                    "figure_min",
                    "figure_max",
                    "ratio_to_uds",
                    "ratio_to_uds_min",
                    "ratio_to_uds_max");
            }
        });

        var told = await ShortRun.StartAsync("compare", old, _run.JsonFile);
        var failed = await ShortRun.StartAsync("compare", old, _run.JsonFile, "--fail-on-regression");

        Assert.True(told.ExitCode == 0, told.ToString());
        Assert.Contains("1 of 16 measurements got slower", told.Output, StringComparison.Ordinal);
        Assert.Contains("unary-1", told.Output, StringComparison.Ordinal);
        Assert.True(failed.ExitCode == RegressionExitCode, failed.ToString());
    }

    [Fact]
    public async Task Compare_FileIsSomethingElse_SaysSo()
    {
        var other = Path.Combine(_run.ReportFolder, "index.html");

        var result = await ShortRun.StartAsync("--compare", other);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(other, result.Error, StringComparison.Ordinal);
    }

    private static void Scale(JsonObject row, double factor, params string[] properties)
    {
        foreach (var property in properties)
        {
            row[property] = row[property]!.GetValue<double>() * factor;
        }
    }

    private static string Text(JsonObject row, string property) => row[property]!.GetValue<string>();

    private List<JsonObject> ReadRows() =>
        [.. JsonNode.Parse(File.ReadAllText(_run.JsonFile))!.AsArray().Select(row => row!.AsObject())];

    [GeneratedRegex("`([a-z0-9_]+)`")]
    private static partial Regex Name();

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Source();

    /// <summary>Runs it once for all tests.</summary>
    public sealed class ShortRun : IAsyncLifetime
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("comparison-test-");

        public static string[] Transports { get; } = ["xstatenet-pipe", "uds", "shm-http2", "in-process"];

        public static string Folder { get; } = Path.Combine(SourceTree.Root, "samples", "Comparison");

        public string JsonFile => Path.Combine(_directory.FullName, "run.json");

        public string ReportFolder => Path.Combine(_directory.FullName, "report");

        public async ValueTask InitializeAsync()
        {
            var result = await StartAsync(
                "--only", "unary-1,events,load-2000", "--transports", string.Join(',', Transports),
                "--rounds", "1", "--seconds", "0.1", "--quick", "--no-warm-up",
                "--json", JsonFile, "--report", ReportFolder);
            Assert.True(result.ExitCode == 0, result.ToString());
        }

        /// <summary>Runs it from its own folder, since the library for the charts is there.</summary>
        internal static Task<SampleResult> StartAsync(params string[] arguments) => SampleProcess.RunAsync(
            Path.Combine(Folder, "bin", SourceTree.Configuration, SourceTree.Framework, "Comparison"), arguments);

        internal string WriteChanged(Action<JsonObject> change)
        {
            var rows = JsonNode.Parse(File.ReadAllText(JsonFile))!.AsArray();
            foreach (var row in rows)
            {
                change(row!.AsObject());
            }

            var path = Path.Combine(_directory.FullName, "changed.json");
            File.WriteAllText(path, rows.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
            return path;
        }

        public ValueTask DisposeAsync()
        {
            _directory.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
