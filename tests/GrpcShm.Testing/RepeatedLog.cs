using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.Testing;

/// <summary>
/// What a peer leads to that does the same wrong thing over and over: some lines, and a number for all the others.
/// </summary>
internal static class RepeatedLog
{
    private const int LinesInAWindow = 8;

    /// <summary>
    /// Waits until all of the events are told, as lines or as a sum, and checks that there are few lines.
    /// </summary>
    /// <param name="log">The log.</param>
    /// <param name="name">The name of a line.</param>
    /// <param name="sumName">The name of the line that tells how many were left out.</param>
    /// <param name="times">How many events there were.</param>
    /// <param name="started">When the first one was, by <see cref="Stopwatch"/>.</param>
    public static async Task VerifyAsync(LogCollector log, string name, string sumName, int times, long started)
    {
        long Told() => log.Lines.Count(line => line.Name == name);
        long Summed() => log.Lines.Where(line => line.Name == sumName)
            .Select(line => line.Text.Split(' ').First(word => word.All(char.IsAsciiDigit)))
            .Sum(word => long.Parse(word, CultureInfo.InvariantCulture));

        await TimeLimit.UntilAsync(
            () => Told() + Summed() == times, () => $"There are {Told()} lines, and {Summed()} were summed up.");

        // A machine that is busy may need several windows.
        var windows = 1 + (int)(Stopwatch.GetElapsedTime(started) / RepeatedLines.Window);
        Assert.InRange(Told(), 1, LinesInAWindow * windows);
    }
}
