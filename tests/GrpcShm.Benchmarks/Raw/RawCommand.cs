using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using GrpcShm.Samples.Comparison.Floor;

namespace GrpcShm.Benchmarks.Raw;

/// <summary><c>raw</c>: bytes and round trips between two processes without gRPC, beside the machine's floor.</summary>
internal static class RawCommand
{
    public const string Name = "raw";
    public const string PeerName = "raw-peer";

    public static Command Create()
    {
        var only = new Option<string[]>("--transports")
        {
            Description = $"The transports to measure: {string.Join(", ", RawTransports.Names)}. Defaults to all.",
            DefaultValueFactory = _ => [.. RawTransports.Names],
            AllowMultipleArgumentsPerToken = true,
        };
        only.AcceptOnlyFromAmong([.. RawTransports.Names]);
        var rounds = new Option<int>("--rounds")
        {
            Description = "How many turns each transport has.",
            DefaultValueFactory = _ => 5,
            CustomParser = result => ParseNumber(result, 1, 1000),
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "How many seconds each figure takes.",
            DefaultValueFactory = _ => 0.5,
            CustomParser = result => ParseNumber(result, 0.01, 600),
        };

        var command = new Command(Name, "Bytes a second and round trips between two processes, without gRPC.")
        {
            only,
            rounds,
            seconds,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var run = new RawRun(
                [.. result.GetValue(only)!.Distinct().Select(RawTransports.Find)],
                result.GetValue(rounds),
                TimeSpan.FromSeconds(result.GetValue(seconds)));
            await run.RunAsync(cancellationToken);
            run.Print();
        });
        return command;
    }

    public static Command CreatePeer()
    {
        var transport = new Argument<string>("transport");
        var address = new Argument<string>("address");
        var command = new Command(PeerName, "The other process of a raw measurement.") { transport, address };
        command.Hidden = true;
        command.SetAction(result =>
            RawPeer.Run(RawTransports.Find(result.GetRequiredValue(transport)), result.GetRequiredValue(address)));
        return command;
    }

    private static T ParseNumber<T>(ArgumentResult result, T least, T most)
        where T : struct, INumber<T>
    {
        var text = result.Tokens.Single().Value;
        if (!T.TryParse(text, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
        {
            result.AddError($"'{text}' is not a number from {least} to {most}.");
        }

        return value;
    }
}
