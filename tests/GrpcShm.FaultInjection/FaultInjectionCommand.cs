using System.CommandLine;
using System.Text.Json;
using GrpcShm.FaultInjection.Lanes;
using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Survivors;

namespace GrpcShm.FaultInjection;

/// <summary>The command line.</summary>
internal static class FaultInjectionCommand
{
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static RootCommand Create()
    {
        var kills = new Option<int>("--kills")
        {
            Description =
                "How many processes die. With as many as the plan has combinations, each combination is tried once.",
            DefaultValueFactory = _ => FaultPlan.Cells.Count,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "The seed for the order, the moments and the ways to die. Random by default.",
            DefaultValueFactory = _ => Random.Shared.Next(),
        };
        var within = new Option<double>("--within")
        {
            Description = "In how many seconds the other side must notice a death.",
            DefaultValueFactory = _ => 1,
        };
        var only = new Option<string[]>("--only")
        {
            Description =
                "Runs only the parts of the plan that have each of these words in their description, "
                + "as the list of failures prints it.",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
        var broken = new Option<Breakage>("--break")
        {
            Description = "Breaks the surviving client on purpose, to show that the run finds it.",
        };
        var lanes = new Option<bool>("--lanes")
        {
            Description =
                "Kills and freezes the processes of the event service's lanes, at each step of a lane's life.",
        };
        var json = new Option<bool>("--json") { Description = "Ends with one line of JSON." };

        var command = new RootCommand(
            "Kills and freezes client and server processes at each step of a connection's life, in both modes, "
            + "during each kind of call, and checks the other side.")
        {
            kills, seed, within, only, broken, lanes, json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var settings = new FaultSettings(
                result.GetValue(kills),
                result.GetValue(seed),
                TimeSpan.FromSeconds(result.GetValue(within)),
                result.GetValue(only)!,
                result.GetValue(broken));
            var report = result.GetValue(lanes)
                ? await LaneFaultRun.RunAsync(settings, cancellationToken)
                : await FaultRun.RunAsync(settings, cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, Json));
            }

            return report.IsGood ? 0 : 1;
        });
        return command;
    }
}
