using System.Globalization;
using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Forwarding;

/// <summary>When the memory of an event is used for another one.</summary>
public sealed class EventPoolTests
{
    private const int Most = 64;

    private readonly BoundedPool<ReceivedEvent> _pool = new(Most);

    [Fact]
    public void Release_ByTheLastHolder_LetsAnotherEventHaveTheMemoryAndNothingElse()
    {
        var first = Make(new Event { Id = "id", Name = "name", Source = "source", Target = "target" }, "group");
        first.Stamp(sender: 7, timestamp: 8);
        first.PutGroup("group");
        Assert.Equal(("id", "name", "source", "target"), (first.Id, first.Name, first.Source, first.Target));
        _ = first.ToMessage();
        first.Hold();

        first.Release();
        var second = Make(new Event { Name = "second" });
        first.Release();
        var third = Make(new Event { Name = "third" });

        Assert.NotSame(first, second);
        Assert.Same(first, third);
        Assert.Equal(new Event { Name = "third" }, third.ToMessage());
        Assert.Equal(("", "third", "", ""), (third.Id, third.Name, third.Source, third.Target));
        Assert.Equal((0ul, 0L, ""), (third.Sender, third.Timestamp, third.Group));
    }

    [Fact]
    public void Release_OfALargeEvent_LeavesItsMemoryToTheGarbageCollector()
    {
        var large = Make(new Event { Payload = ByteString.CopyFrom(new byte[100_000]) });

        large.Release();

        Assert.Null(_pool.TryTake());
    }

    [Fact]
    public void Give_MoreThanThePoolHolds_LeavesTheRestToTheGarbageCollector()
    {
        var events = Enumerable.Range(0, 2 * Most).Select(_ => Make(new Event { Name = "n" })).ToArray();
        foreach (var @event in events)
        {
            @event.Release();
        }

        var kept = 0;
        while (_pool.TryTake() is not null)
        {
            kept++;
        }

        Assert.Equal(Most, kept);
    }

    // What becomes of an event in a mailbox: it is taken and delivered, dropped, refused, or lost with the mailbox. In
    // none of these may its memory be used again while somebody may look at it.
    [Theory]
    [InlineData(OverflowPolicy.Block)]
    [InlineData(OverflowPolicy.DropOldest)]
    [InlineData(OverflowPolicy.DropNewest)]
    [InlineData(OverflowPolicy.Grow)]
    public void Mailboxes_OfAnyPolicy_GiveEachEventAsItWasPutIn(OverflowPolicy policy) =>
        Gen.Int[0, 5].Array[1, 60].Sample(steps =>
        {
            var pool = new BoundedPool<ReceivedEvent>(Most);
            Mailbox[] mailboxes = [new(3, policy), new(2, policy)];
            var items = new MailItem[1];
            var number = 0;
            foreach (var step in steps)
            {
                if (step < 3)
                {
                    var name = $"event {++number}";
                    var @event = Make(new Event { Name = name, Target = "m" }, "", pool);
                    var item = new MailItem(@event, @event.Size, null);
                    foreach (var mailbox in mailboxes)
                    {
                        mailbox.Put(item, "m", out _);
                    }

                    @event.Release();
                }
                else if (mailboxes[step % 2].Take(items, int.MaxValue) == 1)
                {
                    var taken = items[0].Event;
                    var bytes = taken.Encoded.ToArray();

                    // Another event that comes in between must not change it.
                    var other = Make(new Event { Name = "other", Target = "x" }, "", pool);
                    Assert.Equal(bytes, taken.Encoded.ToArray());
                    Assert.Equal(taken.Name, Event.Parser.ParseFrom(bytes).Name);
                    Assert.StartsWith("event ", taken.Name, StringComparison.Ordinal);
                    other.Release();
                    taken.Release();
                }
            }

            // What is still there is what was put in last, in order.
            foreach (var mailbox in mailboxes)
            {
                var last = 0;
                while (mailbox.Take(items, int.MaxValue) == 1)
                {
                    var next = int.Parse(items[0].Event.Name["event ".Length..], CultureInfo.InvariantCulture);
                    Assert.True(next > last);
                    last = next;
                    items[0].Event.Release();
                }
            }
        });

    [Fact]
    public async Task Pool_ManyThreads_NoEventIsGivenToTwo()
    {
        const int Rounds = 20_000;
        var cancellationToken = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(
            () =>
            {
                var held = new Queue<(ReceivedEvent Event, string Name)>();
                for (var i = 0; i < Rounds; i++)
                {
                    var name = $"{thread}-{i}";
                    held.Enqueue((Make(new Event { Name = name }), name));
                    if (held.Count > 20)
                    {
                        var (oldest, expected) = held.Dequeue();
                        Assert.Equal(expected, oldest.Name);
                        oldest.Release();
                    }
                }
            },
            cancellationToken)));
    }

    private static ReceivedEvent Make(Event message, string group, BoundedPool<ReceivedEvent> pool)
    {
        Assert.True(ReceivedEvent.TryCreate(message.ToByteArray(), group, pool, out var @event));
        return @event!;
    }

    private ReceivedEvent Make(Event message, string group = "") => Make(message, group, _pool);
}
