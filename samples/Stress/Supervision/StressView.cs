using System.Globalization;

namespace Samples.Stress.Supervision;

/// <summary>
/// The output for people, line by line. With <c>--json</c> the lines go to the standard error, since the standard
/// output is for the result.
/// </summary>
internal sealed class StressView(ProgressView output)
{
    private const double MegaByte = 1024 * 1024;

    // The width of a time and the spaces after it.
    private const int Indent = 10;

    public void Say(TimeSpan at, string line) =>
        output.Say(PlainText.Wrap(Invariant($"{at:hh\\:mm\\:ss}  {line}"), Indent));

    /// <summary>Writes the line of every ten seconds, and a line with the resources of each process.</summary>
    public void Show(TimeSpan at, TimeSpan since, Totals before, Totals now, int kills, Cast cast)
    {
        var rate = (now.Processed - before.Processed) / since.TotalSeconds;
        Say(at, Invariant($"processed {now.Processed:N0} ({rate:N0}/s), ")
            + Invariant($"lost {now.Lost}, damaged {now.Corrupt}, sent again {now.SentAgain:N0}, ")
            + Invariant($"duplicates dropped {now.Duplicates:N0}, ")
            + Invariant($"refused {now.Refused:N0}, kills {kills}"));
        Say(at, "MB/descriptors/threads: hub " + Describe(cast.Hub)
            + "; producers " + string.Join(' ', cast.Producers.Select(Describe))
            + "; consumers " + string.Join(' ', cast.Consumers.Select(Describe)));
    }

    public void Show(StressReport report)
    {
        Say(Invariant($"{report.Processed:N0} events went from {report.Producers} producers to ")
            + Invariant($"{report.Consumers} consumers over {report.Transport} in {report.Seconds:N0} s ")
            + Invariant($"({report.ProcessedPerSecond:N0}/s), {report.OverLanes:N0} of them over lanes.")
            + Invariant($" {report.Kills} processes were killed (the hub {report.KillsOfHub} times), ")
            + Invariant($"{report.SentAgain:N0} events sent again, {report.Duplicates:N0} duplicates dropped."));
        foreach (var problem in report.Problems)
        {
            Say("Wrong: " + problem);
        }

        Say(report.IsOk
            ? "OK: every event was processed once, in order, and as it was sent."
            : Invariant($"FAILED: {report.Problems.Count} things are wrong (seed {report.Seed})."));
    }

    private void Say(string line) => output.Say(PlainText.Wrap(line, indent: 2));

    private static string Describe(Member member) => member.Look() is { } figures
        ? Invariant($"{figures.Bytes / MegaByte:0}/{figures.Descriptors}/{figures.Threads}")
        : "–";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
