using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

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
        var charts = Directory.GetFiles(_run.ReportFolder, "*.svg");

        Assert.Equal(
            ["latency-unary-1.svg", "throughput.svg"],
            charts.Select(Path.GetFileName).Order());
        foreach (var chart in charts)
        {
            Assert.Contains(Convert.ToBase64String(File.ReadAllBytes(chart)), page, StringComparison.Ordinal);
            Assert.Equal("PNG"u8.ToArray(), File.ReadAllBytes(Path.ChangeExtension(chart, ".png"))[1..4]);
        }

        Assert.All(
            Source().Matches(page),
            match => Assert.StartsWith("data:", match.Groups[1].Value, StringComparison.Ordinal));
        Assert.All(ShortRun.Transports, transport => Assert.Contains($">{transport}<", page, StringComparison.Ordinal));
        Assert.DoesNotContain("://", Source().Replace(page, ""), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Page_HasTheTimeOfTheFile()
    {
        var measuredAt = ReadRows()[0]["measured_at"]!.GetValue<DateTimeOffset>();

        Assert.Contains(
            measuredAt.ToString("u", CultureInfo.InvariantCulture),
            File.ReadAllText(Path.Combine(_run.ReportFolder, "index.html")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Charts_SayInSentencesWhatTheirAxesMeanAndInWhichUnit()
    {
        var latency = ReadLabels("latency-unary-1.svg");
        Assert.Contains("Latency of unary-1 (less is better)", latency);
        Assert.Contains("A call takes this long.", latency);
        Assert.Contains("This share of the calls is as fast, or faster.", latency);
        Assert.Contains(latency, label => Time().IsMatch(label));
        Assert.Contains("99 %", latency);

        var throughput = ReadLabels("throughput.svg");
        Assert.Contains("events (more is better)", throughput);
        Assert.Contains("Events a second (2× is twice as many as over uds)", throughput);
        Assert.Contains(throughput, label => Ratio().IsMatch(label));
    }

    [Fact]
    public void Report_Charts_HaveTheirOwnLettersAndNeedNoFont()
    {
        foreach (var file in Directory.GetFiles(_run.ReportFolder, "*.svg"))
        {
            var chart = XDocument.Load(file).Root!;

            Assert.DoesNotContain("font", File.ReadAllText(file), StringComparison.Ordinal);
            Assert.DoesNotContain(chart.Descendants(), element => element.Name.LocalName == "text");
            var letters = chart.Descendants().Where(element => element.Name.LocalName == "path")
                .Attributes("id").Select(id => "#" + id.Value).ToHashSet();
            var uses = chart.Descendants().Where(element => element.Name.LocalName == "use").ToList();
            Assert.NotEmpty(uses);
            Assert.All(uses, use => Assert.Contains(use.Attribute("href")!.Value, letters));
        }
    }

    [Fact]
    public void Run_Piped_SaysWhatItMeasuresAndExplainsTheRatio()
    {
        var output = _run.Output.ReplaceLineEndings(" ");

        Assert.Contains("[1/3] starting: uds", output, StringComparison.Ordinal);
        Assert.Contains("[1/3] unary-1: uds round 1 of 1", output, StringComparison.Ordinal);
        Assert.Contains(
            "Ratio: how many times as fast as the same over a Unix socket (uds). More is better",
            output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Ratio_InTheTable_IsHowManyTimesAsFastForALatencyToo()
    {
        // In the file it is the latency divided by that of uds.
        var row = ReadRows().Single(
            row => Text(row, "transport") == "in-process" && Text(row, "scenario") == "unary-1");
        var timesAsFast = 1 / row["ratio_to_uds"]!.GetValue<double>();

        var table = _run.Output.Split("ratio to uds")[1].Split("unary-1", 2)[1];
        var line = table.Split('\n').First(line => line.Contains("in-process", StringComparison.Ordinal));
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $" {timesAsFast:0.00} ("), line, StringComparison.Ordinal);
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

    /// <summary>The texts of a chart.</summary>
    private List<string> ReadLabels(string chart) =>
    [
        .. XDocument.Load(Path.Combine(_run.ReportFolder, chart)).Descendants()
            .Select(element => element.Attribute("aria-label")?.Value).OfType<string>(),
    ];

    private static string Text(JsonObject row, string property) => row[property]!.GetValue<string>();

    private List<JsonObject> ReadRows() =>
        [.. JsonNode.Parse(File.ReadAllText(_run.JsonFile))!.AsArray().Select(row => row!.AsObject())];

    [GeneratedRegex("`([a-z0-9_]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[0-9,]+ \([0-9.]+×\)$")]
    private static partial Regex Ratio();

    [GeneratedRegex("^[0-9]+ (µs|ms)$")]
    private static partial Regex Time();

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Source();

    /// <summary>Runs it once for all tests.</summary>
    public sealed class ShortRun : IAsyncLifetime
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("comparison-test-");

        public static string[] Transports { get; } = ["xstatenet-pipe", "uds", "shm-http2", "in-process"];

        public static string Folder { get; } = Path.Combine(SourceTree.Root, "samples", "Comparison");

        public string JsonFile => Path.Combine(_directory.FullName, "run.json");

        /// <summary>What it has printed.</summary>
        public string Output { get; private set; } = "";

        public string ReportFolder => Path.Combine(_directory.FullName, "report");

        public async ValueTask InitializeAsync()
        {
            var result = await StartAsync(
                "--only", "unary-1,events,load-2000", "--transports", string.Join(',', Transports),
                "--rounds", "1", "--seconds", "0.1", "--quick", "--no-warm-up", "--progress-seconds", "0",
                "--json", JsonFile, "--report", ReportFolder);
            Assert.True(result.ExitCode == 0, result.ToString());
            Output = result.Output;
        }

        /// <summary>The program in its own folder, since the library for the charts is there.</summary>
        internal static string Program { get; } =
            Path.Combine(Folder, "bin", SourceTree.Configuration, SourceTree.Framework, "Comparison");

        internal static Task<SampleResult> StartAsync(params string[] arguments) =>
            SampleProcess.RunAsync(Program, arguments);

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
