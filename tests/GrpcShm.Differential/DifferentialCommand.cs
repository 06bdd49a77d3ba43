using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential;

/// <summary>The command line.</summary>
internal static class DifferentialCommand
{
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static RootCommand Create()
    {
        var requests =
            new Option<long>("--requests") { Description = "How many requests.", DefaultValueFactory = _ => 100_000 };
        var responses =
            new Option<long>("--responses") { Description = "How many responses.", DefaultValueFactory = _ => 20_000 };
        var seed = new Option<int>("--seed")
        {
            Description = "The seed, which reproduces a run. Defaults to another number each time.",
            DefaultValueFactory = _ => Random.Shared.Next(),
        };
        var first = new Option<long>("--first")
        {
            Description = "The number of the first request. With --requests 1, that request alone is sent.",
        };
        var found = new Option<string>("--found")
        {
            Description = "The directory for differences.",
            DefaultValueFactory = _ => Path.Join(Path.GetTempPath(), "grpcshm-differential"),
        };
        var plant = new Option<string?>("--plant")
        {
            Description = $"Breaks direct mode on purpose: {string.Join(", ", Plants.Names)}.",
        };
        plant.AcceptOnlyFromAmong([.. Plants.Names]);
        var json = new Option<bool>("--json") { Description = "Ends with one line of JSON." };

        var command = new RootCommand(
            "Sends the same requests and responses in direct mode and over HTTP/2, and looks for differences.")
        {
            requests, responses, seed, first, found, plant, json,
        };
        command.SetAction(async result =>
        {
            var report = await DifferentialRun.RunAsync(new Settings(
                result.GetValue(requests),
                result.GetValue(responses),
                result.GetValue(seed),
                result.GetValue(first),
                result.GetValue(found)!,
                result.GetValue(plant)));
            Console.WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(report, Json)
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{report.Requests:N0} requests ({report.Handled:N0} handled), {report.Responses:N0} responses "
                    + $"in {report.Seconds} s, {report.Found} differences, seed {report.Seed}"));
            return report.Found == 0 ? 0 : 1;
        });
        return command;
    }
}
