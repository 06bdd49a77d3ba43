using System.Diagnostics;
using System.Globalization;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// Measures what many patterns, machines and recipients cost a hub in a process of its own, whose bounds are out of the
/// way.
/// </summary>
internal sealed class ManyFigures : IAsyncDisposable
{
    private const int Patterns = 10_000;
    private const int Sends = 100_000;
    private const int Rounds = 5;
    private const int Registered = 100_000;
    private const int Subscribed = 20_000;
    private const int Batch = 100;

    private readonly HubChild _hub;
    private readonly HubChannel _channel;

    private ManyFigures(HubChild hub) => (_hub, _channel) = (hub, HubChannel.To(hub.Address));

    /// <summary>Measures, and prints a table.</summary>
    public static async Task<int> RunAsync()
    {
        Console.WriteLine();
        Console.WriteLine("| what | how much |");
        Console.WriteLine("|---|---|");
        await MeasureAsync(static figures => figures.PatternsAsync());
        await MeasureAsync(static figures => figures.RegisteredAsync());
        await MeasureAsync(static figures => figures.SubscribedAsync());
        foreach (var (sessions, machines) in new[] { (1, 1), (1, 100), (1, 1000), (100, 1) })
        {
            await RunFanOutAsync(sessions, machines);
        }

        return 0;
    }

    /// <summary>Measures what a publication costs for each recipient.</summary>
    public static async Task<int> RunFanOutAsync(int sessions, int machines)
    {
        await MeasureAsync(figures => FanOut.PrintAsync(figures._hub, sessions, machines));
        return 0;
    }

    /// <summary>Prints a row of the table.</summary>
    public static void Print(string what, double value, string unit) => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"| {what} | {value:#,0.###} {unit} |"));

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _hub.DisposeAsync();
    }

    private static async Task MeasureAsync(Func<ManyFigures, Task> measure)
    {
        await using var figures = new ManyFigures(await HubChild.StartAsync("hub-without-bounds"));
        await measure(figures);
    }

    private static async Task SendAllAsync(
        SessionClient session, int count, Func<int, SessionCommand> make)
    {
        for (var first = 0; first < count; first += Batch)
        {
            await session.SendAsync([.. Enumerable.Range(first, Math.Min(Batch, count - first)).Select(make)]);
        }

        await session.CompletedAsync();
        if (session.Failures.TryPeek(out var failure))
        {
            throw new InvalidOperationException($"What is to be measured is refused: {failure.Message}");
        }
    }

    private async Task PatternsAsync()
    {
        await using var sender = new SessionClient(_channel);
        await sender.ExecuteAsync(new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = 1,
                Inbox = "m",
                StartsWithoutCredit = true,
                Mailbox = new MailboxSettings { Capacity = 1, OverflowPolicy = OverflowPolicy.DropNewest },
            },
        });
        await SendOftenAsync(sender);
        var before = await SendOftenAsync(sender);
        await using var observer = new SessionClient(_channel);
        var started = Stopwatch.GetTimestamp();
        await SendAllAsync(observer, Patterns, static i => new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = (uint)i + 1, Credit = 1, Pattern = new EventPattern { Name = $"kind-{i}-*" },
            },
        });
        Print($"{Patterns:#,0} patterns, registered", Stopwatch.GetElapsedTime(started).TotalSeconds, "s");
        var after = await SendOftenAsync(sender);
        Print("the hub's time for a send without them", before, "µs");
        Print("for a send that none of them fits, more", after - before, "µs");
    }

    // The least of some rounds: other programs of the machine can only add to it.
    private async Task<double> SendOftenAsync(SessionClient sender)
    {
        var least = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            least = Math.Min(least, await SendSomeAsync(sender));
        }

        return least;
    }

    // The hub's processor time for a send, in microseconds.
    private async Task<double> SendSomeAsync(SessionClient sender)
    {
        var before = await _hub.ProcessorTimeAsync();
        await SendAllAsync(sender, Sends, static _ => new SessionCommand
        {
            Send = new Event { Name = "kind-of-another", Source = "s", Target = "m" },
        });
        return (await _hub.ProcessorTimeAsync() - before).TotalMicroseconds / Sends;
    }

    private async Task RegisteredAsync()
    {
        await using var session = new SessionClient(_channel);
        await session.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "first" } });
        var before = await _hub.MemoryAsync();
        await SendAllAsync(session, Registered, static i => new SessionCommand
        {
            Register = new Registration { MachineId = $"machine-{i:D6}" },
        });
        Print(
            $"{Registered:#,0} registered machines, each",
            (await _hub.MemoryAsync() - before) / (double)Registered,
            "bytes");
    }

    private async Task SubscribedAsync()
    {
        await using var session = new SessionClient(_channel);
        await session.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "first" } });
        var before = await _hub.MemoryAsync();
        await SendAllAsync(session, Subscribed, static i => new SessionCommand
        {
            Subscribe = new Subscription { Number = (uint)i + 1, Inbox = $"machine-{i:D6}" },
        });
        Print(
            $"{Subscribed:#,0} machines with their subscriptions, each",
            (await _hub.MemoryAsync() - before) / (double)Subscribed,
            "bytes");
        await SendAllAsync(session, Subscribed, static i => new SessionCommand
        {
            Send = new Event { Name = "E", Source = "s", Target = $"machine-{i:D6}" },
        });
        for (var i = 0; i < Subscribed; i++)
        {
            await session.Deliveries.ReadAsync();
        }

        Print(
            "the same after each has had an event, each",
            (await _hub.MemoryAsync() - before) / (double)Subscribed,
            "bytes");
    }
}
