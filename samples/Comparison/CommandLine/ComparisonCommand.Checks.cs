using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.CommandLine;

// What the options accept, and what they say to the rest.
internal static partial class ComparisonCommand
{
    private static string[] SplitNames(ArgumentResult result) =>
    [
        .. result.Tokens.SelectMany(token => token.Value.Split(
            ',',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
    ];

    private static void CheckTransports(OptionResult result)
    {
        var names = result.GetValue(Transports) ?? [];
        if (names.Length == 0)
        {
            result.AddError($"--transports needs at least one of: {string.Join(", ", TransportRegistry.Names)}.");
        }

        foreach (var unknown in names.Except(TransportRegistry.Names))
        {
            result.AddError(
                $"There is no transport '{unknown}'. There are: {string.Join(", ", TransportRegistry.Names)}.");
        }
    }

    private static void CheckScenarios(OptionResult result)
    {
        foreach (var unknown in (result.GetValue(Only) ?? []).Where(pattern => !ScenarioRegistry.Match(pattern).Any()))
        {
            result.AddError(
                $"There is no scenario '{unknown}'. There are: {string.Join(", ", ScenarioRegistry.Names)}.");
        }
    }

    private static void CheckJson(OptionResult result)
    {
        if (result.GetValue(Json)?.Directory is { Exists: false } directory)
        {
            result.AddError($"The directory '{directory.FullName}' of the --json file does not exist.");
        }
    }

    private static T? ParseNumber<T>(ArgumentResult result, T least, T most)
        where T : struct, INumber<T>
    {
        var text = result.Tokens.Single().Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }

        var option = ((OptionResult)result.Parent!).Option.Name;
        result.AddError(string.Create(
            CultureInfo.InvariantCulture,
            $"{option} must be a number from {least} to {most}, not '{text}'."));
        return null;
    }
}
