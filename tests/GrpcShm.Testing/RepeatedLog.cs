using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.Testing;

/// <summary>
/// The log of a peer that makes the same fault over and over has a few lines, and a number for all the others.
/// </summary>
internal static class RepeatedLog
{
    private const int LinesInAWindow = 8;

    /// <summary>Waits until all events are logged, as lines or as a sum, and checks that there are few lines.</summary>
    /// <param name="log">The log.</param>
    /// <param name="name">The name of a line.</param>
    /// <param name="sumName">The name of the line with the number of omitted lines.</param>
    /// <param name="times">The number of events.</param>
    /// <param name="started">The time of the first event, by <see cref="Stopwatch"/>.</param>
    public static async Task VerifyAsync(LogCollector log, string name, string sumName, int times, long started)
    {
        long Told() => log.Lines.Count(line => line.Name == name);
        long Summed() => log.Lines.Where(line => line.Name == sumName)
            .Select(line => line.Text.Split(' ').First(word => word.All(char.IsAsciiDigit)))
            .Sum(word => long.Parse(word, CultureInfo.InvariantCulture));

        await TimeLimit.UntilAsync(
            () => Told() + Summed() == times, () => $"There are {Told()} lines, and {Summed()} were summed up.");

        // On a busy machine the events may fall into several windows of time.
        var windows = 1 + (int)(Stopwatch.GetElapsedTime(started) / RepeatedLines.Window);
        Assert.InRange(Told(), 1, LinesInAWindow * windows);
    }
}
