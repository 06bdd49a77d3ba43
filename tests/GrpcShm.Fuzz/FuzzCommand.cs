using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace GrpcShm.Fuzz;

/// <summary>The command line.</summary>
internal static class FuzzCommand
{
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static RootCommand Create()
    {
        string[] names = [.. FuzzTargets.All.Select(t => t.Name)];
        var only = new Option<string[]>("--targets")
        {
            Description = $"What to fuzz: {string.Join(", ", names)}. Defaults to all.",
            DefaultValueFactory = _ => names,
            AllowMultipleArgumentsPerToken = true,
        };
        only.AcceptOnlyFromAmong(names);
        var inputs = new Option<long>("--inputs")
        {
            Description = "How many inputs to run, shared among the targets.",
            DefaultValueFactory = _ => 1_000_000,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "The seed, which reproduces a run. Defaults to another number each time.",
            DefaultValueFactory = _ => Random.Shared.Next(),
        };
        var found = new Option<string>("--found")
        {
            Description = "The directory for inputs that cause a failure.",
            DefaultValueFactory = _ => Path.Join(Path.GetTempPath(), "grpcshm-fuzz"),
        };
        var keep = new Option<string?>("--keep") { Description = "The directory for one input of each outcome." };
        var replay = new Option<string?>("--replay") { Description = "Runs the inputs of a directory instead." };
        var json = new Option<bool>("--json") { Description = "Ends with one line of JSON." };

        var command = new RootCommand(
            "Feeds the code that reads a peer's bytes with bytes that no correct peer would send.")
        {
            only, inputs, seed, found, keep, replay, json,
        };
        command.SetAction(result =>
        {
            if (result.GetValue(replay) is { } directory)
            {
                Console.WriteLine($"{FuzzRun.Replay(directory)} inputs replayed.");
                return 0;
            }

            var report = FuzzRun.Run(new FuzzSettings(
                [.. result.GetValue(only)!.Distinct().Select(FuzzTargets.Find)],
                result.GetValue(inputs),
                result.GetValue(seed),
                result.GetValue(found)!,
                result.GetValue(keep)));
            Print(report, result.GetValue(json));
            return report.Found == 0 ? 0 : 1;
        });
        return command;
    }

    private static void Print(FuzzReport report, bool json)
    {
        foreach (var target in report.Targets)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{target.Name,-18} {target.Inputs,12:N0} inputs {target.PerSecond,10:N0}/s "
                + $"{target.Outcomes,6} outcomes {target.Found,4} found"));
        }

        Console.WriteLine(json
            ? JsonSerializer.Serialize(report, Json)
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Inputs:N0} inputs in {report.Seconds} s, {report.Found} found, seed {report.Seed}"));
    }
}
