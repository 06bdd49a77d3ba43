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

        // It may still be on its way to sleep: at rest is who sleeps and has not moved for many looks in a row, which the
        // sentinel does between the few looks that it takes after a handshake.
        const int LooksAtRest = 20;
        var before = CountSwitches();
        var still = 0;
        await TimeLimit.UntilAsync(
            () =>
            {
                var (last, now) = (before, CountSwitches());
                before = now;
                still = last == now && IsAsleep() ? still + 1 : 0;
                return still == LooksAtRest;
            },
            () => "The reactor does not come to rest.");

        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);

        Assert.Equal(before, CountSwitches());
        await client.WritePatternAsync(0, 1);
        await reading.InTime();
        await TimeLimit.UntilAsync(() => CountSwitches() > before, () => "A doorbell is no wake-up.");
    }

    private static bool IsAsleep() =>
        StatusLines().Where(line => line.StartsWith("State:", StringComparison.Ordinal))
            .All(line => line.Contains("sleeping", StringComparison.Ordinal));

    /// <summary>How often reactors have gone to sleep or have been put aside.</summary>
    private static long CountSwitches() =>
        StatusLines().Where(line => line.Contains("ctxt_switches", StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture));

    private static IEnumerable<string> StatusLines() =>
        Directory.GetDirectories("/proc/self/task")
            .Where(task => File.ReadAllText(Path.Join(task, "comm")).StartsWith("GrpcShm", StringComparison.Ordinal))
            .SelectMany(task => File.ReadLines(Path.Join(task, "status")));
}
