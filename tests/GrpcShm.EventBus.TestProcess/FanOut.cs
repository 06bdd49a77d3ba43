using System.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Machines that all get what is published, and the publisher.</summary>
internal sealed class FanOut : IAsyncDisposable
{
    private const int Rounds = 8;
    private const int Batch = 10;
    private const int DeliveriesOfARound = 100_000;

    private static readonly TimeSpan RoundTime = TimeSpan.FromMinutes(1);

    private readonly HubChannel _channel;
    private readonly SessionClient _publisher;
    private readonly List<EventClient> _clients = [];
    private long _handled;

    private FanOut(HubChild hub)
    {
        _channel = HubChannel.To(hub.Address);
        _publisher = new SessionClient(_channel);
    }

    /// <summary>Prints what a publication costs a hub for each recipient.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="sessions">The number of sessions with machines.</param>
    /// <param name="machines">The machines of each session.</param>
    public static async Task PrintAsync(HubChild hub, int sessions, int machines)
    {
        await using var fanOut = new FanOut(hub);
        await fanOut.RegisterAsync(sessions, machines);
        var (busy, passed) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            // The least of some rounds: other programs of the machine can only add to it.
            var before = await hub.ProcessorTimeAsync();
            var started = Stopwatch.GetTimestamp();
            var deliveries = await fanOut.RunRoundAsync(sessions * machines);
            passed = Math.Min(passed, Stopwatch.GetElapsedTime(started).TotalMicroseconds / deliveries);
            busy = Math.Min(busy, (await hub.ProcessorTimeAsync() - before).TotalMicroseconds / deliveries);
        }

        var what = $"a publication to {machines} machines in each of {sessions} sessions, for each of them";
        ManyFigures.Print(what + ", of the hub's processor time", busy, "µs");
        ManyFigures.Print(what + ", from the first publication to the last handler", passed, "µs");
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        _channel.Dispose();
    }

    private static SessionCommand Publication() => new()
    {
        Publish = new Publication
        {
            Event = new Event { Name = "TICK", Source = "s", TypeName = "Sample.Tick" }, All = new AllMachines(),
        },
    };

    private async Task RegisterAsync(int sessions, int machines)
    {
        for (var session = 0; session < sessions; session++)
        {
            var client = new EventClient(_channel);
            _clients.Add(client);
            await client.ConnectAsync();
            await Task.WhenAll(Enumerable.Range(0, machines).Select(machine => client.RegisterMachineAsync(
                $"m-{session}-{machine}",
                _ =>
                {
                    Interlocked.Increment(ref _handled);
                    return Task.CompletedTask;
                })));
        }
    }

    private async Task<long> RunRoundAsync(int recipients)
    {
        var publications = Math.Max(1, DeliveriesOfARound / recipients);
        var deliveries = (long)publications * recipients;
        var end = Interlocked.Read(ref _handled) + deliveries;
        for (var i = 0; i < publications; i += Batch)
        {
            // As a client writes them that does not wait for each.
            await _publisher.SendAsync(
                [.. Enumerable.Repeat(0, Math.Min(Batch, publications - i)).Select(static _ => Publication())]);
        }

        var started = Stopwatch.GetTimestamp();
        while (Interlocked.Read(ref _handled) < end)
        {
            if (Stopwatch.GetElapsedTime(started) > RoundTime)
            {
                throw new TimeoutException($"Publications did not reach all of {recipients} machines in time.");
            }

            await Task.Delay(1);
        }

        return deliveries;
    }
}
