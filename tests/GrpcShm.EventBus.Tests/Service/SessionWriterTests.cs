using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Wire;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>What waits for a client, or for a mailbox, in the hub.</summary>
public sealed class SessionWriterTests : HubTest
{
    private const int Mebibyte = 1024 * 1024;

    private HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    public static TheoryData<Outcome> LargeOutcomes { get; } =
    [
        new Outcome { EventId = new string('x', Mebibyte) },
        new Outcome { MachineId = new string('x', Mebibyte) },
        new Outcome { Message = new string('x', Mebibyte) },
        new Outcome { NewState = new string('x', Mebibyte) },
        new Outcome { Reply = new Event { Name = new string('x', Mebibyte) } },
    ];

    [Theory]
    [MemberData(nameof(LargeOutcomes))]
    public void TryAdd_LargeOutcomesThatNobodyReads_AreCountedByAllTheirBytes(Outcome outcome)
    {
        using var stream = new FakeSession(Hub);
        var writer = new SessionWriter(stream, new Outbox(runWriterInline: false), new OutgoingNotices(), Hub.Metrics);

        var reply = RoutedEvent.Of(outcome.Reply);
        var rest = outcome.Clone();
        rest.Reply = null;

        var added = 0;
        while (added < 1000 && writer.TryAdd(new OutgoingOutcome(rest, reply)))
        {
            added++;
        }

        // A reply that came as a message may be kept as bytes, too, so it counts twice.
        var (least, most) = reply is null ? (60, 65) : (30, 33);
        Assert.InRange(added, least, most);
    }

    [Fact]
    public async Task WaitForRoom_Cancelled_LeavesNoCopyWaitingAnywhere()
    {
        var mailboxes = Enumerable.Range(0, 3).Select(_ => new Mailbox(1, OverflowPolicy.Block)).ToArray();
        var context = new RoutingContext();
        var item = new MailItem(new MessageEvent(new Event { Name = "E" }), 10, null);
        foreach (var mailbox in mailboxes)
        {
            var subscriber = new Subscriber(1, "", mailbox, new Outbox(runWriterInline: false), Hub.Metrics);
            Assert.Equal(PutResult.Accepted, subscriber.Put(item, context));
            Assert.Equal(PutResult.Blocked, subscriber.Put(item, context));
        }

        using var cancelled = new CancellationTokenSource();
        var waiting = context.WaitForRoomAsync(Hub.Options, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.InTime());

        Assert.False(context.MustWait);
        foreach (var mailbox in mailboxes)
        {
            // What waited would take the place of what is taken.
            Assert.Equal(1, mailbox.Take(new MailItem[1], int.MaxValue));
            Assert.Equal(0, mailbox.Count);
        }
    }
}
