using CsCheck;
using Grpc.Core;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Routing;

/// <summary>Who is found for an event, whichever way the subscriptions are found.</summary>
public sealed class ObserverTableTests : IDisposable
{
    // Few characters and short texts: so patterns and events meet often, and beginnings are beginnings of others.
    private static readonly Gen<string> Texts = Gen.String[Gen.Char["ab"], 0, 4];
    private static readonly Gen<string> Patterns = Gen.String[Gen.Char["aabb*?"], 0, 5];
    private static readonly Gen<string> Ids = Gen.String[Gen.Char["ab"], 1, 4];
    private static readonly Gen<string> IdPatterns = Gen.String[Gen.Char["aabb*?"], 1, 5];

    private static readonly Gen<Subscription> OfPatterns = Gen.Select(
        Patterns, Patterns, Patterns, Patterns, Gen.Int[0, 15], static (name, source, target, group, use) =>
            new Subscription
            {
                Pattern = new EventPattern
                {
                    Name = (use & 1) == 0 ? "" : name,
                    Source = (use & 2) == 0 ? "" : source,
                    Target = (use & 4) == 0 ? "" : target,
                    Group = (use & 8) == 0 ? "" : group,
                },
            });

    private static readonly Gen<Subscription> Subscriptions = Gen.Frequency(
        (8, OfPatterns),
        (2, IdPatterns.Select(static pattern => new Subscription { StateChanges = pattern })),
        (1, Ids.Select(static id => new Subscription { Machine = id })),
        (1, Ids.Select(static id => new Subscription { Group = id })),
        (1, Gen.Const(new Subscription { All = new AllEvents() })));

    private static readonly Gen<Event> Events = Gen.Select(
        Texts, Texts, Texts, Texts, Gen.Bool, static (name, source, target, group, isChange) => new Event
        {
            Name = name,
            Source = source,
            Target = target,
            Group = group,
            StateChange = isChange ? new StateChange() : null,
        });

    private readonly UnreadMetrics _unread = new();
    private readonly EventBusOptions _options =
        new() { MaxPatterns = 1_000_000, MaxPatternsPerSession = 1_000_000, MaxSubscriptionsPerSession = 1_000_000 };

    public void Dispose() => _unread.Dispose();

    [Fact]
    public void Put_AnyPatternsAndEvents_FindsThoseThatAPlainWalkFinds()
    {
        Gen.Select(Subscriptions.Array[0, 40], Gen.Bool.Array[40], Events.Array[1, 10]).Sample(
            (subscriptions, isRemoved, events) =>
            {
                var table = new ObserverTable();
                var budget = new HubBudget(_options);
                var session = new SessionBudget(budget);
                var observers = subscriptions.Select(subscription => MakeObserver(subscription, session)).ToArray();
                foreach (var observer in observers)
                {
                    Assert.True(table.Add(observer).IsOk);
                }

                Compare(table, observers, subscriptions, events, _ => true);
                for (var i = 0; i < observers.Length; i++)
                {
                    if (isRemoved[i])
                    {
                        table.Remove(observers[i]);
                    }
                }

                Compare(table, observers, subscriptions, events, i => !isRemoved[i]);
                for (var i = 0; i < observers.Length; i++)
                {
                    if (!isRemoved[i])
                    {
                        table.Remove(observers[i]);
                    }
                }

                Compare(table, observers, subscriptions, events, _ => false);
                Assert.Equal((0, 0L, 0L), (table.Count, budget.Observers.Used, budget.Patterns.Used));
            },
            iter: 5_000);
    }

    [Fact]
    public void Put_BeginningsLongerThanTheIndexGoes_AreComparedToTheirEnd()
    {
        var table = new ObserverTable();
        var session = new SessionBudget(new HubBudget(_options));
        var long1 = MakeObserver(Named(new string('x', 1000) + "1*"), session);
        var long2 = MakeObserver(Named(new string('x', 1000) + "2*"), session);
        Assert.True(table.Add(long1).IsOk);
        Assert.True(table.Add(long2).IsOk);

        Assert.Equal(1, Put(table, new Event { Name = new string('x', 1000) + "2", Target = "t" }));

        Assert.Equal((0, 1), (Take(long1), Take(long2)));
        table.Remove(long1);
        table.Remove(long2);
        Assert.Equal(0, Put(table, new Event { Name = new string('x', 1000) + "2", Target = "t" }));
    }

    [Fact]
    public async Task Put_WhileOthersComeAndGo_ReachesEachThatIsThereExactlyOnce()
    {
        var table = new ObserverTable();
        var session = new SessionBudget(new HubBudget(_options));
        var staying = Enumerable.Range(0, 20)
            .Select(i => MakeObserver(Named(i % 2 == 0 ? $"{new string('a', i / 2)}*" : "aaaaaaaaaaaaa"), session))
            .ToArray();
        Assert.All(staying, observer => Assert.True(table.Add(observer).IsOk));
        using var isOver = new CancellationTokenSource();
        var changing = Task.Run(() =>
        {
            var random = new Random(1);
            var there = new List<Observer>();
            while (!isOver.IsCancellationRequested)
            {
                if (there.Count < 50 && random.Next(2) == 0)
                {
                    var name = new string('a', random.Next(20)) + (random.Next(4) == 0 ? "" : "*");
                    there.Add(MakeObserver(Named(name.Length == 0 ? "b" : name), session));
                    Assert.True(table.Add(there[^1]).IsOk);
                }
                else if (there.Count > 0)
                {
                    var place = random.Next(there.Count);
                    table.Remove(there[place]);
                    there.RemoveAt(place);
                }
            }
        });

        for (var i = 0; i < 20_000; i++)
        {
            Put(table, new Event { Name = "aaaaaaaaaaaaa", Target = "t" });
            Assert.All(staying, observer => Assert.Equal(1, Take(observer)));
        }

        await isOver.CancelAsync();
        await changing.InTime();
    }

    [Fact]
    public void Add_ManyToOneName_IsBoundedForEachSessionAndNotForAll()
    {
        var table = new ObserverTable();
        var hub = new HubBudget(_options);
        var sessions = Enumerable.Range(0, 3).Select(_ => new SessionBudget(hub)).ToArray();
        var first = new List<Observer>();
        for (var i = 0; i < 64; i++)
        {
            foreach (var session in sessions)
            {
                var observer = MakeObserver(Named("N"), session);
                Assert.True(table.Add(observer).IsOk);
                if (session == sessions[0])
                {
                    first.Add(observer);
                }
            }
        }

        Assert.All(sessions, session => Assert.Equal(
            StatusCode.ResourceExhausted, table.Add(MakeObserver(Named("N"), session)).Code));
        Assert.Equal(3 * 64, hub.Observers.Used);

        table.Remove(first[10]);
        Assert.True(table.Add(MakeObserver(Named("N"), sessions[0])).IsOk);
        Assert.Equal(
            StatusCode.ResourceExhausted, table.Add(MakeObserver(Named("N"), sessions[0])).Code);
        Assert.Equal(3 * 64, Put(table, new Event { Name = "N", Target = "t" }));
    }

    private static Subscription Named(string pattern) => new() { Pattern = new EventPattern { Name = pattern } };

    // What the contract says of a subscription, in the simplest way.
    private static bool Wants(Subscription subscription, Event sent) => subscription.FilterCase switch
    {
        Subscription.FilterOneofCase.Machine => sent.Target == subscription.Machine,
        Subscription.FilterOneofCase.Group => sent.Group == subscription.Group,
        Subscription.FilterOneofCase.StateChanges =>
            sent.StateChange is not null && Fits(subscription.StateChanges, sent.Source),
        Subscription.FilterOneofCase.Pattern =>
            Fits(subscription.Pattern.Name, sent.Name)
            && Fits(subscription.Pattern.Source, sent.Source)
            && Fits(subscription.Pattern.Target, sent.Target)
            && Fits(subscription.Pattern.Group, sent.Group),
        _ => true,
    };

    private static bool Fits(string pattern, string text) => pattern.Length == 0 || Glob.Matches(pattern, text);

    private static void Compare(
        ObserverTable table,
        Observer[] observers,
        Subscription[] subscriptions,
        Event[] events,
        Func<int, bool> isThere)
    {
        foreach (var sent in events)
        {
            var accepted = Put(table, sent);
            var expected = Enumerable.Range(0, observers.Length)
                .Where(i => isThere(i) && Wants(subscriptions[i], sent)).ToArray();

            // Nobody gets it twice.
            var found = Enumerable.Range(0, observers.Length)
                .SelectMany(i => Enumerable.Repeat(i, Take(observers[i]))).ToArray();
            Assert.Equal(expected, found);
            Assert.Equal(expected.Length, accepted);
        }
    }

    private static int Put(ObserverTable table, Event sent)
    {
        var message = new MessageEvent(sent.Clone());
        message.PutGroup(sent.Group);
        var group = sent.Group.Length > 0 ? sent.Group : null;
        return table.Put(new MailItem(message, sent.CalculateSize(), null), group, new RoutingContext());
    }

    private static int Take(Observer observer) => observer.Subscriber.Mailbox.Take(new MailItem[10], int.MaxValue);

    private Observer MakeObserver(Subscription subscription, SessionBudget session) => new(
        new EventFilter(subscription),
        new Subscriber(
            1, "", new Mailbox(10, OverflowPolicy.DropOldest), new Outbox(runWriterInline: false), _unread.Metrics),
        session);
}
