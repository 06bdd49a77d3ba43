using System.Diagnostics;
using System.Globalization;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Lifetime;

[Collection(AloneCollection.Name)]
public sealed class IdleTests
{
    [Fact]
    public async Task Reactor_ConnectionsThatAreIdle_NeverWakeIt()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        await StreamBytes.EchoAsync(client, server);
        var reading = server.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();

        // A thread may still be on its way to sleep, and the sentinel takes a few looks after a handshake. On a busy
        // machine both take long. A thread that looks again and again never rests for so long.
        var rest = TimeSpan.FromMilliseconds(500);
        var before = CountSwitches();
        var lastMove = Stopwatch.GetTimestamp();
        await TimeLimit.UntilAsync(
            () =>
            {
                var (last, now) = (before, CountSwitches());
                before = now;
                if (!HaveNotMoved(last, now) || !IsAsleep())
                {
                    lastMove = Stopwatch.GetTimestamp();
                }

                return Stopwatch.GetElapsedTime(lastMove) >= rest;
            },
            () => "The reactor does not come to rest.");

        await client.WritePatternAsync(0, 1);
        await reading.InTime();
        await TimeLimit.UntilAsync(() => !HaveNotMoved(before, CountSwitches()), () => "A doorbell is no wake-up.");
    }

    private static bool IsAsleep() =>
        Statuses().All(static s => s.Lines.Single(static l => l.StartsWith("State:", StringComparison.Ordinal))
            .Contains("sleeping", StringComparison.Ordinal));

    /// <summary>
    /// Whether no thread has moved. Threads that other tests have left behind may have ended.
    /// </summary>
    private static bool HaveNotMoved(Dictionary<string, long> before, Dictionary<string, long> now) =>
        now.All(thread => before.TryGetValue(thread.Key, out var count) && count == thread.Value);

    /// <summary>How often each thread of the reactors has gone to sleep or has been put aside.</summary>
    private static Dictionary<string, long> CountSwitches() =>
        Statuses().ToDictionary(
            static s => s.Task,
            static s => s.Lines.Where(static l => l.Contains("ctxt_switches", StringComparison.Ordinal))
                .Sum(static l => long.Parse(
                    l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture)));

    private static List<(string Task, string[] Lines)> Statuses()
    {
        var statuses = new List<(string, string[])>();
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                // With the space: the first thread has the program's name, which begins in the same way.
                if (File.ReadAllText(Path.Join(task, "comm")).StartsWith("GrpcShm ", StringComparison.Ordinal))
                {
                    statuses.Add((task, File.ReadAllLines(Path.Join(task, "status"))));
                }
            }
            catch (IOException)
            {
                // The thread ended meanwhile.
            }
        }

        return statuses;
    }
}
