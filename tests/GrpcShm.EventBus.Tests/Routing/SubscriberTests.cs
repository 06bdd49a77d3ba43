using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Routing;

/// <summary>Senders that wait for the answers of a subscriber that ends.</summary>
public sealed class SubscriberTests : IDisposable
{
    private readonly UnreadMetrics _unread = new();

    public void Dispose() => _unread.Dispose();

    [Fact]
    public async Task Deliver_AfterTheEnd_FailsTheSenderThatWaits()
    {
        var subscriber = MakeSubscriber();
        var pending = new PendingAcknowledgement("m", AcknowledgementLevel.Processed);
        subscriber.Close();

        Assert.Equal(0ul, subscriber.Deliver(ItemFor(pending)).Number);

        Assert.False((await AnswerOf(pending)).Verdict.IsOk);
    }

    [Fact]
    public async Task Deliver_WhileItEnds_LeavesNoSenderWaiting()
    {
        for (var i = 0; i < 5_000; i++)
        {
            var subscriber = MakeSubscriber();
            var pending = new PendingAcknowledgement("m", AcknowledgementLevel.Processed);
            using var begin = new Barrier(2);
            var closing = Task.Run(() =>
            {
                begin.SignalAndWait();
                subscriber.Close();
            });
            begin.SignalAndWait();
            subscriber.Deliver(ItemFor(pending));
            await closing.InTime();

            Assert.True(pending.IsDone, $"round {i}");
        }
    }

    [Fact]
    public async Task Acknowledge_ADelivery_AnswersItsSenderAndNoOther()
    {
        var subscriber = MakeSubscriber();
        var first = new PendingAcknowledgement("m", AcknowledgementLevel.Processed);
        var second = new PendingAcknowledgement("m", AcknowledgementLevel.Processed);

        // Nobody waits yet.
        subscriber.Acknowledge(new Acknowledgement { Number = 1 }, null, Verdict.Ok);
        subscriber.Deliver(ItemFor(first));
        var number = subscriber.Deliver(ItemFor(second)).Number;
        subscriber.Acknowledge(new Acknowledgement { Number = number, NewState = "s" }, null, Verdict.Ok);

        Assert.Equal("s", (await AnswerOf(second)).NewState);
        Assert.False(first.IsDone);
        subscriber.Close();
        Assert.False((await AnswerOf(first)).Verdict.IsOk);
    }

    private static Task<AcknowledgementResult> AnswerOf(PendingAcknowledgement pending) =>
        pending.WaitAsync(TimeSpan.FromMinutes(1), CancellationToken.None).InTime();

    private static MailItem ItemFor(PendingAcknowledgement pending) =>
        new(new MessageEvent(new Event { Name = "E", Target = "m" }), 10, pending);

    private Subscriber MakeSubscriber() =>
        new(1, "m", new Mailbox(1, OverflowPolicy.Block), new Outbox(runWriterInline: false), _unread.Metrics);
}
