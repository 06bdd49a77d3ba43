using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// Measures the most that one client can cost the others at the hub's defaults, for the table in
/// docs/why/event-service.md:
/// <c>dotnet run -c Release --project tests/GrpcShm.EventBus.TestProcess -- costs</c>.
/// </summary>
internal static class CostsRole
{
    private const int Batch = 100;

    public static async Task<int> RunAsync()
    {
        Console.WriteLine("| what one client does | a send before, ms | after, ms | the longest, ms | memory, MB |");
        Console.WriteLine("|---|---|---|---|---|");
        await Costs.MeasureAsync("nothing", static _ => Task.CompletedTask);
        await Costs.MeasureAsync(
            "512 subscriptions to everything, none of them read",
            static open => ObserveAsync(open, 512, static _ => new Subscription { All = new AllEvents() }));
        await Costs.MeasureAsync(
            "512 patterns of beginnings",
            static open => ObserveAsync(open, 512, static i => Named($"EVENT-{i}*")));
        await Costs.MeasureAsync(
            "64 of the worst patterns with stars",
            static open => ObserveAsync(
                open, 64, static _ => Named("*" + new string('x', 500) + "y" + new string('x', 500) + "*")),
            SendLongNameAsync);
        await Costs.MeasureAsync(
            "8 of the worst patterns with stars and question marks",
            static open =>
                ObserveAsync(open, 8, static _ => Named("*" + string.Concat(Enumerable.Repeat("?x", 30)) + "y*")),
            SendLongNameAsync);
        await Costs.MeasureAsync(
            "10,000 subscriptions to machines by name, 64 of them to the other's",
            static open =>
                ObserveAsync(open, 10_000, static i => new Subscription { Machine = i < 64 ? "victim" : $"m{i}" }));
        await Costs.MeasureAsync("as many machines as it may register", static open => RegisterAsync(open, 0, 50_000));
        await Costs.MeasureAsync(
            "as many bytes of groups as it may register", static open => RegisterAsync(open, 64, 1500));
        await Costs.MeasureAsync("65,536 sends that nobody acknowledges", PendAsync);
        await Costs.MeasureAsync(
            "events of 1 MiB into mailboxes that are not read", static open => FillAsync(open, 1024 * 1024, 400));
        await Costs.MeasureAsync(
            "events of 100 bytes into mailboxes that are not read", static open => FillAsync(open, 100, 800_000));
        await Costs.MeasureAsync(
            "a machine that takes nothing, among those that a publication is for", StickAsync, PublishAsync);
        await Costs.MeasureAsync(
            "sessions of 50,000 machines that come and go all the while (a registration)",
            ChurnAsync,
            RegisterOneAsync);
        return await ManyFigures.RunAsync();
    }

    private static Subscription Named(string name) => new() { Pattern = new EventPattern { Name = name } };

    private static async Task SendLongNameAsync(SessionClient session) => await session.ExecuteAsync(new SessionCommand
    {
        Send = new Event { Name = new string('x', 1024), Source = "victim", Target = "victim" },
    });

    private static async Task PublishAsync(SessionClient session) => await session.ExecuteAsync(new SessionCommand
    {
        Publish = new Publication { Event = new Event { Name = "EVENT", Source = "victim" }, All = new AllMachines() },
    });

    private static async Task RegisterOneAsync(SessionClient session)
    {
        await session.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "one" } });
        await session.ExecuteAsync(new SessionCommand { Unregister = "one" });
    }

    private static Task ChurnAsync(Func<SessionClient> open)
    {
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    var session = open();
                    await RegisterAsync(session, 0, 50_000);
                    await session.DisposeAsync();
                }
            }
            catch (Exception exception) when (
                exception is RpcException or InvalidOperationException or ObjectDisposedException)
            {
                // The measuring is over, and with it the hub.
            }
        });
        return Task.CompletedTask;
    }

    private static async Task ObserveAsync(Func<SessionClient> open, int count, Func<int, Subscription> make)
    {
        var session = open();
        await SendAllAsync(session, count, i =>
        {
            var subscription = make(i);
            subscription.Number = (uint)i + 1;
            subscription.Credit = 1;
            return new SessionCommand { Subscribe = subscription };
        });
        Refuse(session);
    }

    private static Task RegisterAsync(Func<SessionClient> open, int groups, int count) =>
        RegisterAsync(open(), groups, count);

    private static async Task RegisterAsync(SessionClient session, int groups, int count)
    {
        await SendAllAsync(session, count, i => new SessionCommand
        {
            Register = new Registration
            {
                MachineId = $"machine-{i}",
                Groups = { Enumerable.Range(0, groups).Select(group => $"{i}-{group}-{new string('g', 230)}") },
            },
        });
    }

    private static async Task PendAsync(Func<SessionClient> open)
    {
        var machine = open();
        await machine.ExecuteAsync(new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = 1,
                Inbox = "deaf",
                Mailbox = new MailboxSettings { Capacity = 65_536, OverflowPolicy = OverflowPolicy.Grow },
            },
        });
        var session = open();
        await SendAllAsync(session, 70_000, i => new SessionCommand
        {
            Send = new Event { Name = "E", Id = $"{i:D256}", Target = "deaf" },
            Acknowledgement = AcknowledgementLevel.Processed,
            TimeoutMilliseconds = 600_000,
        });
    }

    private static async Task FillAsync(Func<SessionClient> open, int size, int count)
    {
        var session = open();
        await SendAllAsync(
            session, 16, i => new SessionCommand { Register = new Registration { MachineId = $"full-{i}" } });
        await SendAllAsync(session, 16, i => new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = (uint)i + 1,
                Inbox = $"full-{i}",
                Credit = 1,
                Mailbox = new MailboxSettings { Capacity = 65_536, OverflowPolicy = OverflowPolicy.Grow },
            },
        });
        var payload = new byte[size];
        await SendAllAsync(
            session,
            count,
            i => new SessionCommand
            {
                Send = new Event
                {
                    Name = "E",
                    Target = $"full-{i % 16}",
                    Payload = Google.Protobuf.ByteString.CopyFrom(payload),
                },
            },
            Math.Max(1, 64 * 1024 / size));
    }

    private static async Task StickAsync(Func<SessionClient> open)
    {
        var session = open();
        await session.ExecuteAsync(new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = 1, Inbox = "stuck", Credit = 1, Mailbox = new MailboxSettings { Capacity = 1 },
            },
        });
    }

    private static async Task SendAllAsync(
        SessionClient session, int count, Func<int, SessionCommand> make, int batch = Batch)
    {
        for (var first = 0; first < count; first += batch)
        {
            await session.SendAsync([.. Enumerable.Range(first, Math.Min(batch, count - first)).Select(make)]);
        }

        await session.CompletedAsync();
    }

    private static void Refuse(SessionClient session)
    {
        if (session.Failures.TryPeek(out var failure))
        {
            throw new InvalidOperationException($"What is to be measured is refused: {failure.Message}");
        }
    }
}
