using System.CommandLine;

namespace Samples;

/// <summary>The time between two lines of progress. Only tests set it, since they do not wait for seconds.</summary>
internal static class ProgressOption
{
    private const double StandardSeconds = 3;

    public static Option<double> Create() => new("--progress-seconds")
    {
        Hidden = true,
        DefaultValueFactory = _ => StandardSeconds,
    };

    /// <summary>Makes the view that the command line asks for.</summary>
    public static ProgressView CreateView(this ParseResult result, Option<double> option, bool outputIsForResult) =>
        ProgressView.Create(outputIsForResult, TimeSpan.FromSeconds(result.GetValue(option)));
}
