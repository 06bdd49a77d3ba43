using System.CommandLine;
using Grpc.Core;
using GrpcShm.EventBus;
using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Peers;
using GrpcShm.Samples.Comparison.Regression;
using GrpcShm.Samples.Comparison.Reporting;
using GrpcShm.Samples.Comparison.Reporting.Charts;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.CommandLine;

/// <summary>The command line: <c>--help</c> is its documentation.</summary>
internal static partial class ComparisonCommand
{
    private const int RegressionExitCode = 3;

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "Take less than two minutes: fewer and shorter rounds, and only some steps of a series.",
    };

    private static readonly Option<string[]> Only = new("--only")
    {
        Description =
            "Run only these scenarios (comma-separated; * stands for any characters): "
            + $"{string.Join(", ", ScenarioRegistry.Names)}.",
        DefaultValueFactory = _ => [],
        CustomParser = SplitNames,
    };

    private static readonly Option<string[]> Transports = new("--transports")
    {
        Description = $"Compare these transports (comma-separated): {string.Join(", ", TransportRegistry.Names)}.",
        DefaultValueFactory = _ => [.. TransportRegistry.Names],
        CustomParser = SplitNames,
    };

    private static readonly Option<int?> Rounds = new("--rounds")
    {
        Description = "How many turns each transport has in a scenario. Defaults to 5, with --quick to 3.",
        CustomParser = result => ParseNumber<int>(result, 1, 1000),
    };

    private static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = "How many seconds one turn takes. Defaults to 2, with --quick to what two minutes allow.",
        CustomParser = result => ParseNumber<double>(result, 0.05, 3600),
    };

    // For tests of the output alone, since the values mean nothing without a warm-up.
    private static readonly Option<bool> NoWarmUp = new("--no-warm-up") { Hidden = true };

    // Only tests set this, since they do not wait for seconds.
    private static readonly Option<double> ProgressSeconds = new("--progress-seconds")
    {
        Hidden = true,
        DefaultValueFactory = _ => 3,
    };

    private static readonly Option<FileInfo?> Json = new("--json")
    {
        Description = "Write the measurements to this file, as a JSON array with one object for each.",
    };

    private static readonly Option<DirectoryInfo?> Report = new("--report")
    {
        Description =
            "Write a page with charts to this directory: index.html, which needs no other file, and the charts as SVG "
            + "and PNG.",
    };

    private static readonly Option<DirectoryInfo?> Pictures = new("--pictures")
    {
        Description = "Write only the charts to this directory, as SVG.",
    };

    private static readonly Option<FileInfo> Compare = new("--compare")
    {
        Description = "Compare with the --json file of an earlier run, and print what got slower.",
    };

    private static readonly Option<bool> FailOnRegression = new("--fail-on-regression")
    {
        Description = $"With --compare: end with exit code {RegressionExitCode} if something got slower.",
    };

    static ComparisonCommand()
    {
        Transports.Validators.Add(CheckTransports);
        Only.Validators.Add(CheckScenarios);
        Json.Validators.Add(CheckJson);
        Compare.AcceptExistingOnly();
    }

    public static RootCommand Create()
    {
        var root = new RootCommand("Compares transports for gRPC between two processes of this machine.")
        {
            Quick, Only, Transports, Rounds, Seconds, NoWarmUp, ProgressSeconds,
            Json, Report, Pictures, Compare, FailOnRegression,
            CreateServe(), CreatePeer(), CreateFloorPeer(), CreateCompare(),
        };
        root.SetAction(CompareAsync);
        return root;
    }

    private static Command CreateServe() =>
        CreateProcess("serve", "A server process of a comparison, until its input ends.", ServerProgram.RunAsync);

    private static Command CreatePeer() => CreateProcess(
        EventPeer.Command, "The third process of a comparison, until its input ends.", PeerProgram.RunAsync);

    private static Command CreateProcess(string name, string description, Func<string, string, Task<int>> run)
    {
        var transport = new Argument<string>("transport");
        transport.AcceptOnlyFromAmong([.. TransportRegistry.Names]);
        var address = new Argument<string>("address");
        var process = new Command(name, description) { transport, address };
        process.Hidden = true;
        process.SetAction((result, cancellationToken) => GuardAsync(
            () => run(result.GetRequiredValue(transport), result.GetRequiredValue(address)), cancellationToken));
        return process;
    }

    private static Command CreateFloorPeer()
    {
        var transport = new Argument<string>("transport");
        transport.AcceptOnlyFromAmong([.. MachineFloor.Transports.Select(one => one.Name)]);
        var address = new Argument<string>("address");
        var peer =
            new Command(MachineFloor.PeerCommand, "The other process of the machine's floor.") { transport, address };
        peer.Hidden = true;
        peer.SetAction(result => RawPeer.Run(
            MachineFloor.Transports.Single(one => one.Name == result.GetRequiredValue(transport)),
            result.GetRequiredValue(address)));
        return peer;
    }

    private static Command CreateCompare()
    {
        var old = new Argument<FileInfo>("old") { Description = "The earlier run's --json file." };
        var now = new Argument<FileInfo>("new") { Description = "The later run's --json file." };
        old.AcceptExistingOnly();
        now.AcceptExistingOnly();
        var compare = new Command(
            "compare", "Print what got slower from one run to another, without measuring anything.")
        {
            old, now, FailOnRegression,
        };
        compare.SetAction((result, cancellationToken) => GuardAsync(
            async () => PrintRegressions(
                result,
                await JsonReport.ReadAsync(result.GetRequiredValue(old).FullName),
                await JsonReport.ReadAsync(result.GetRequiredValue(now).FullName)),
            cancellationToken));
        return compare;
    }

    private static Task<int> CompareAsync(ParseResult result, CancellationToken cancellationToken) =>
        GuardAsync(async () =>
        {
            // The file is read before the measurement, so that an error does not come after half an hour.
            var old = result.GetValue(Compare) is { } earlier ? await JsonReport.ReadAsync(earlier.FullName) : null;
            var plan = CreatePlan(result);
            var report = new ConsoleReport(plan, TimeSpan.FromSeconds(result.GetValue(ProgressSeconds)));
            report.PrintHeader();
            var comparison = await new ComparisonRun(plan, report).RunAsync(cancellationToken);
            report.Print(comparison);
            var measuredAt = DateTimeOffset.UtcNow;
            var measurements = JsonMeasurement.Create(comparison, Machine.Current, measuredAt);
            if (result.GetValue(Json) is { } file)
            {
                await JsonReport.WriteAsync(file.FullName, measurements);
                Console.Out.WriteLine($"Written to {file.FullName}");
            }

            var charts = (result.GetValue(Report) ?? result.GetValue(Pictures)) is not null
                ? ChartList.Create(comparison.Measurements)
                : [];
            if (result.GetValue(Report) is { } directory)
            {
                await new HtmlReport(plan, comparison, charts, measuredAt).WriteAsync(directory.FullName);
                Console.Out.WriteLine($"Written to {Path.Combine(directory.FullName, HtmlReport.FileName)}");
            }

            if (result.GetValue(Pictures) is { } pictures)
            {
                await ChartList.WriteSvgAsync(charts, pictures.FullName);
                Console.Out.WriteLine($"Written to {pictures.FullName}");
            }

            return old is null ? 0 : PrintRegressions(result, old, measurements);
        }, cancellationToken);

    private static int PrintRegressions(
        ParseResult result, IReadOnlyList<JsonMeasurement> old, IReadOnlyList<JsonMeasurement> now)
    {
        var check = new RegressionCheck(old, now);
        RegressionReport.Print(check);
        return check.HasRegression && result.GetValue(FailOnRegression) ? RegressionExitCode : 0;
    }

    private static RunPlan CreatePlan(ParseResult result)
    {
        var quick = result.GetValue(Quick);
        var only = result.GetValue(Only) ?? [];
        var chosen = only.SelectMany(ScenarioRegistry.Match).ToHashSet();
        ITransport[] transports = [.. result.GetValue(Transports)!.Distinct().Select(TransportRegistry.Find)];
        Scenario[] all =
            [.. ScenarioRegistry.All.Where(scenario => transports.Any(transport => transport.CanRun(scenario)))];
        Scenario[] scenarios =
            [.. all.Where(scenario => chosen.Count > 0 ? chosen.Contains(scenario) : scenario.IsQuick || !quick)];
        var duration = result.GetValue(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        var plan = quick
            ? RunPlan.CreateQuick(transports, scenarios, result.GetValue(Rounds), duration) with
            {
                LeftOut = chosen.Count > 0 ? [] : [.. all.Except(scenarios)],
            }
            : RunPlan.CreateFull(transports, scenarios, result.GetValue(Rounds), duration);
        return result.GetValue(NoWarmUp)
            ? plan with { LongestFirstWarmUp = TimeSpan.Zero, LongestWarmUp = TimeSpan.Zero }
            : plan;
    }

    private static async Task<int> GuardAsync(Func<Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 130;
        }
        catch (Exception exception) when (exception is ComparisonException or IOException or NotImplementedException
            or PlatformNotSupportedException or TimeoutException
            or OperationCanceledException or RpcException or EventBusException)
        {
            var reason = exception is RpcException call
                ? $"a call failed with {call.StatusCode}: {call.Status.Detail}"
                : exception.Message;
            await Console.Error.WriteLineAsync($"{Environment.NewLine}error: {reason}");
            return 1;
        }
    }
}
