using System.Globalization;

namespace Samples.WaferFab.View;

/// <summary>The result in words.</summary>
internal static class Verdict
{
    public static IEnumerable<string> Lines(FabReport report)
    {
        yield return Invariant(
            $"{report.Finished} of {report.Wafers} wafers went through {report.Steps} steps over {report.Transport},")
            + Invariant($" in {report.Seconds:N1} s by {report.Events:N0} events ({report.EventsPerSecond:N0}/s).");
        if (report.Killed is not null)
        {
            yield return Invariant(
                $"The {report.Killed} was killed: the bus reported it after {report.NoticedMilliseconds:N1} ms,")
                + Invariant($" it was back after {report.AwayMilliseconds:N0} ms,")
                + Invariant($" and the others did {report.StepsMeanwhile} steps meanwhile.");
        }

        foreach (var problem in report.Problems.Take(10))
        {
            yield return "Wrong: " + problem;
        }

        yield return report.IsOk
            ? "OK: nothing was lost, nothing was done twice, and everything was in order."
            : Invariant($"FAILED: {Math.Max(1, report.Problems.Count)} things are wrong.");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
