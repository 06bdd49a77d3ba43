using System.Diagnostics;
using System.Globalization;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>A hub in a process of its own, a client that measures, and another one that does its worst.</summary>
internal sealed class Costs : IAsyncDisposable
{
    private const int Sends = 2000;

    private readonly HubChild _hub;

    private Costs(HubChild hub) => _hub = hub;

    /// <summary>Measures what one thing that a client can do costs the others.</summary>
    /// <param name="name">What it is.</param>
    /// <param name="attack">Does it, and leaves it so.</param>
    /// <param name="measured">What the other client does again and again; a send to a machine of its own if
    /// none.</param>
    public static async Task MeasureAsync(
        string name, Func<Func<SessionClient>, Task> attack, Func<SessionClient, Task>? measured = null)
    {
        await using var costs = new Costs(await HubChild.StartAsync("hub"));
        using var channel = HubChannel.To(costs._hub.Address);
        await using var victim = new SessionClient(channel);
        await victim.ExecuteAsync(new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "victim" } });
        using var otherChannel = HubChannel.To(costs._hub.Address);
        var opened = new List<SessionClient>();
        var send = measured ?? SendAsync;
        await TimeAsync(victim, send);
        var (before, _) = await TimeAsync(victim, send);
        var memoryBefore = await costs._hub.MemoryAsync();

        await attack(() =>
        {
            var session = new SessionClient(otherChannel);
            opened.Add(session);
            return session;
        });

        var memory = await costs._hub.MemoryAsync() - memoryBefore;
        var (after, longest) = await TimeAsync(victim, send);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {before:0.000} | {after:0.000} | {longest:0.0} | {memory / 1048576.0:0} |"));

        // The sessions end with their channel and the hub.
        GC.KeepAlive(opened);
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    private static async Task SendAsync(SessionClient session) => await session.ExecuteAsync(new SessionCommand
    {
        Send = new Event { Name = "EVENT", Source = "victim", Target = "victim" },
    });

    // Milliseconds: in the middle, and the longest.
    private static async Task<(double Median, double Longest)> TimeAsync(
        SessionClient session, Func<SessionClient, Task> send)
    {
        var times = new List<double>();
        var started = Stopwatch.GetTimestamp();
        while (times.Count < Sends && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
        {
            var before = Stopwatch.GetTimestamp();
            await send(session);
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }

        times.Sort();
        return (times[times.Count / 2], times[^1]);
    }
}
