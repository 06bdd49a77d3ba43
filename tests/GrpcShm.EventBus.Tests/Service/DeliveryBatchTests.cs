using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Tests.Routing;
using GrpcShm.EventBus.Wire;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>The deliveries of one response, shared and not shared.</summary>
public sealed class DeliveryBatchTests : IDisposable
{
    private const int Subscribers = 5;

    // What happens to a session: an event is put into the mailboxes of some subscribers, or room is granted, or a
    // response is written.
    private static readonly Gen<Step> Steps = Gen.Frequency(
        (5, Gen.Int[1, (1 << Subscribers) - 1].Select(static who => new Step(who, IsPublished: true))),
        (2, Gen.Int[0, Subscribers - 1].Select(static who => new Step(1 << who))),
        (2, Gen.Int[0, Subscribers - 1].Select(static who => new Step(1 << who, IsAwaited: true))),
        (1, Gen.Int[0, Subscribers - 1].Select(static who => new Step(1 << who, Credit: 3))),
        (1, Gen.Const(new Step(0))));

    private readonly UnreadMetrics _unread = new();

    public void Dispose() => _unread.Dispose();

    [Fact]
    public void Fill_WithAndWithoutSharing_GivesEachSubscriptionTheSameEventsInTheSameOrder()
    {
        var shared = 0;
        Steps.Array[1, 60].Sample(
            steps =>
            {
                var single = new Session(_unread.Metrics, mayShare: false);
                var sharing = new Session(_unread.Metrics, mayShare: true);
                foreach (var step in steps)
                {
                    single.Take(step);
                    sharing.Take(step);
                }

                single.WriteAll();
                sharing.WriteAll();
                Assert.Equal(0, single.Shared);
                Assert.Equal(single.Recipients, sharing.Recipients);
                for (var i = 0; i < Subscribers; i++)
                {
                    Assert.Equal(single.Received[i], sharing.Received[i]);
                }

                Interlocked.Add(ref shared, sharing.Shared);
            },
            iter: 3_000);

        Assert.True(shared > 10_000, $"Only {shared} deliveries were shared.");
    }

    [Fact]
    public void Fill_OnePublicationToMany_IsOneDelivery()
    {
        var outbox = new Outbox(runWriterInline: false);
        var batch = new DeliveryBatch(outbox);
        batch.AllowSharing();
        var item = ItemOf("P", isPublished: true);
        for (uint i = 1; i <= 1000; i++)
        {
            MakeSubscriber(i, outbox).Put(item, new RoutingContext());
        }

        var deliveries = new List<OutgoingDelivery>();
        Assert.Equal(1, batch.Fill(deliveries, 0, static (_, _) => Assert.Fail("Nothing is lost.")));

        Assert.Equal(1000, batch.Recipients);
        Assert.Equal(Enumerable.Range(2, 999).Select(static i => (uint)i), Parse(deliveries)[0].Also);

        // They count with their own bytes only.
        Assert.InRange(batch.Bytes, item.Size + 999, item.Size + 2_000);
    }

    [Fact]
    public void Fill_MoreRecipientsThanAResponseMayHave_LeavesTheRestToTheNext()
    {
        var outbox = new Outbox(runWriterInline: false);
        var batch = new DeliveryBatch(outbox);
        batch.AllowSharing();
        var item = ItemOf("P", isPublished: true);
        for (uint i = 1; i <= 5_000; i++)
        {
            MakeSubscriber(i, outbox).Put(item, new RoutingContext());
        }

        var recipients = new List<int>();
        var deliveries = new List<OutgoingDelivery>();
        while (batch.Fill(deliveries, 0, static (_, _) => { }) > 0)
        {
            recipients.Add(batch.Recipients);
            Assert.Equal(recipients[^1], 1 + Parse(deliveries).Single().Also.Count);
            deliveries.Clear();
        }

        Assert.Equal([4096, 904], recipients);
    }

    [Theory]
    [InlineData(300, 20)]
    [InlineData(100, 1000)]
    public void Fill_ABacklogOfPublications_IsSharedAsWell(int publications, int bytes)
    {
        const int Recipients = 100;
        var outbox = new Outbox(runWriterInline: false);
        var batch = new DeliveryBatch(outbox);
        batch.AllowSharing();
        var subscribers = Enumerable.Range(1, Recipients).Select(i => MakeSubscriber((uint)i, outbox)).ToArray();
        for (var i = 0; i < publications; i++)
        {
            var item = ItemOf($"{i}".PadLeft(bytes), isPublished: true);
            Array.ForEach(subscribers, subscriber => subscriber.Put(item, new RoutingContext()));
        }

        var (written, recipients) = (0, 0);
        var deliveries = new List<OutgoingDelivery>();
        while (batch.Fill(deliveries, 0, static (_, _) => { }) > 0)
        {
            written += deliveries.Count;
            recipients += batch.Recipients;
            deliveries.Clear();
        }

        Assert.Equal(publications * Recipients, recipients);
        Assert.InRange(written, publications, 10 * publications);
    }

    [Fact]
    public void Fill_ManyPublications_UsesItsListsAgainAndKeepsThemApart()
    {
        var outbox = new Outbox(runWriterInline: false);
        var batch = new DeliveryBatch(outbox);
        batch.AllowSharing();
        Subscriber[] subscribers = [.. Enumerable.Range(1, 3).Select(i => MakeSubscriber((uint)i, outbox))];
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 50; i++)
            {
                var item = ItemOf($"{round}-{i}", isPublished: true);
                Array.ForEach(subscribers, subscriber => subscriber.Put(item, new RoutingContext()));
            }

            var deliveries = new List<OutgoingDelivery>();
            Assert.Equal(50, batch.Fill(deliveries, 0, static (_, _) => { }));
            Assert.All(Parse(deliveries), delivery =>
            {
                Assert.Equal(1u, delivery.Subscription);
                Assert.Equal([2u, 3u], delivery.Also);
            });
        }
    }

    [Fact]
    public void Fill_SharedDelivery_KeepsTheEventUntilItIsWrittenAndNoLonger()
    {
        var pool = new BoundedPool<ReceivedEvent>(64);
        var outbox = new Outbox(runWriterInline: false);
        var batch = new DeliveryBatch(outbox);
        batch.AllowSharing();
        var item = ItemOf("P", isPublished: true, pending: null, pool);
        for (uint i = 1; i <= 3; i++)
        {
            MakeSubscriber(i, outbox).Put(item, new RoutingContext());
        }

        item.Event.Release();
        var deliveries = new List<OutgoingDelivery>();
        Assert.Equal(1, batch.Fill(deliveries, 0, static (_, _) => { }));
        Assert.Null(pool.TryTake());
        Assert.Equal("P", Parse(deliveries).Single().Event.Name);

        // As the writer does when the response is written.
        deliveries[0].Event.Release();

        Assert.Same(item.Event, pool.TryTake());
        Assert.False(item.Event.IsPublished);
    }

    private static List<Delivery> Parse(List<OutgoingDelivery> deliveries)
    {
        var response = new HubSessionResponse(new SessionResponse());
        response.Deliveries.AddRange(deliveries);
        return [.. SessionResponse.Parser.ParseFrom(response.Encode().Span).Deliveries];
    }

    private static MailItem ItemOf(
        string name, bool isPublished, PendingAcknowledgement? pending = null, BoundedPool<ReceivedEvent>? pool = null)
    {
        var encoded = new Event { Name = name }.ToByteArray();
        Assert.True(ReceivedEvent.TryCreate(encoded, "", pool ?? new BoundedPool<ReceivedEvent>(64), out var received));
        received!.IsPublished = isPublished;
        return new MailItem(received, received.Size, pending);
    }

    private Subscriber MakeSubscriber(uint number, Outbox outbox) =>
        new(number, "m", new Mailbox(1000, OverflowPolicy.Grow), outbox, _unread.Metrics);

    /// <param name="Who">The subscribers, as bits; none: a response is written.</param>
    /// <param name="IsPublished">Whether it is a publication.</param>
    /// <param name="IsAwaited">Whether its sender waits for an acknowledgement.</param>
    /// <param name="Credit">How much room is granted instead of an event.</param>
    private sealed record Step(int Who, bool IsPublished = false, bool IsAwaited = false, uint Credit = 0);

    private sealed class Session
    {
        private readonly Outbox _outbox = new(runWriterInline: false);
        private readonly BoundedPool<ReceivedEvent> _pool = new(64);
        private readonly DeliveryBatch _batch;
        private readonly Subscriber[] _subscribers;
        private readonly List<OutgoingDelivery> _deliveries = [];
        private int _events;

        public Session(EventBusMetrics metrics, bool mayShare)
        {
            _batch = new DeliveryBatch(_outbox);
            if (mayShare)
            {
                _batch.AllowSharing();
            }

            // Some have little credit, and some a small mailbox.
            _subscribers =
            [
                .. Enumerable.Range(0, Subscribers).Select(i => new Subscriber(
                    (uint)i + 1,
                    "m",
                    new Mailbox(i == 1 ? 4 : 1000, i == 1 ? OverflowPolicy.DropOldest : OverflowPolicy.Grow),
                    _outbox,
                    metrics,
                    i is 2 or 3 ? 5 : Subscriber.Unlimited)),
            ];
            Received = [.. Enumerable.Range(0, Subscribers).Select(static _ => new List<string>())];
        }

        /// <summary>What each subscriber got, in order.</summary>
        public List<string>[] Received { get; }

        public int Recipients { get; private set; }

        /// <summary>How many of them shared a delivery.</summary>
        public int Shared { get; private set; }

        public void Take(Step step)
        {
            if (step.Who == 0)
            {
                Write();
                return;
            }

            var context = new RoutingContext();
            var pending =
                step.IsAwaited ? new PendingAcknowledgement("m", AcknowledgementLevel.Processed) : null;
            var item = ItemOf($"{_events++}", step.IsPublished, pending, _pool);
            foreach (var subscriber in _subscribers.Where((_, i) => (step.Who & (1 << i)) != 0))
            {
                if (step.Credit > 0)
                {
                    subscriber.Grant(step.Credit, context);
                }
                else
                {
                    subscriber.Put(item, context);
                }
            }

            item.Event.Release();
        }

        public void WriteAll()
        {
            foreach (var subscriber in _subscribers)
            {
                subscriber.Grant(10_000, new RoutingContext());
            }

            while (Write() > 0)
            {
            }
        }

        private int Write()
        {
            _deliveries.Clear();
            var count = _batch.Fill(
                _deliveries,
                0,
                (subscriber, lost) => Received[subscriber.Number - 1].Add($"lost {lost}"));
            foreach (var delivery in Parse(_deliveries))
            {
                Give(delivery.Subscription, $"{delivery.Event.Name} {delivery.Number} {delivery.Acknowledgement}");
                foreach (var number in delivery.Also)
                {
                    Shared++;
                    Assert.Equal(0ul, delivery.Number);
                    Give(number, $"{delivery.Event.Name} 0 Unspecified");
                }
            }

            // As the writer does: the memory of the events is used for the next ones.
            _deliveries.ForEach(static delivery => delivery.Event.Release());
            Recipients += _batch.Recipients;
            return count;
        }

        private void Give(uint number, string what) => Received[number - 1].Add(what);
    }
}
