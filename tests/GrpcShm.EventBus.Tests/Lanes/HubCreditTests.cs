using CsCheck;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Tests.Service.Parts;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>How fences and events share the credit and the mailbox of one subscription.</summary>
public sealed class HubCreditTests : SessionPartTest
{
    // Each fence takes half of what is granted.
    private static readonly (Step, int)[] Enough =
        [.. Enumerable.Repeat(new[] { (Step.Grant, 1000), (Step.Take, 0) }, 60).SelectMany(static pair => pair)];

    private enum Step
    {
        Put,
        Fence,
        WithdrawnFence,
        Grant,
        Take,
    }

    [Fact]
    public void Take_WhateverComes_TheCreditThatIsGivenUpAndUsedIsTheCreditThatWasGranted() =>
        Gen.Select(
            Gen.Int[0, 5], Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 6]).Array[0, 60], Gen.Int[1, 4]).Sample(
            (initial, steps, capacity) => Check((uint)initial, steps, capacity), iter: 2000);

    [Fact]
    public void PutFence_MoreThanThereMayBe_IsRefused()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        var fence = new FenceMark(MakeRoute(mailbox, isWithdrawn: false));
        var item = new MailItem(fence, 0, MakePending());
        for (var i = 0; i < 16_384; i++)
        {
            Assert.Equal(PutResult.Accepted, mailbox.PutFence(item));
        }

        Assert.Equal(PutResult.Full, mailbox.PutFence(item));
        mailbox.Close();
        Assert.Equal(PutResult.Closed, mailbox.PutFence(item));
    }

    [Fact]
    public void Put_FencesWait_TheyTakeNoPlaceOfEvents()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        var fence = new FenceMark(MakeRoute(mailbox, isWithdrawn: true));
        mailbox.PutFence(new MailItem(fence, 0, MakePending()));
        mailbox.PutFence(new MailItem(fence, 0, MakePending()));

        Assert.Equal(PutResult.Accepted, mailbox.Put(MakeItem(1), "b", out _));
        Assert.Equal(PutResult.Blocked, mailbox.Put(MakeItem(2), "b", out _));
    }

    [Fact]
    public void PutFence_ThenClose_FailsTheFence()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        var pending = MakePending();
        mailbox.PutFence(new MailItem(new FenceMark(MakeRoute(mailbox, isWithdrawn: false)), 0, pending));

        mailbox.Close();

        Assert.True(pending.IsDone);
    }

    private static PendingAcknowledgement MakePending() => new("b", AcknowledgementLevel.Delivered);

    // All events are put in; only what is written is compared with the credit.
    private void Check(uint initial, (Step Step, int Amount)[] steps, int capacity)
    {
        var outbox = new Outbox(runWriterInline: false);
        var mailbox = new Mailbox(1000, OverflowPolicy.Block);
        var subscriber = new Subscriber(1, "b", mailbox, outbox, Hub.Metrics, initial);
        var context = new RoutingContext();
        var expected = new Queue<(bool IsFence, bool IsVoid, uint Number)>();
        var granted = (long)initial;
        long used = 0;
        uint number = 0;
        foreach (var (step, amount) in steps.Concat(Enough))
        {
            switch (step)
            {
                case Step.Put:
                    Assert.Equal(PutResult.Accepted, subscriber.Put(MakeItem(++number), context));
                    expected.Enqueue((false, false, number));
                    break;
                case Step.Fence:
                case Step.WithdrawnFence:
                    var route = MakeRoute(mailbox, step == Step.WithdrawnFence);
                    Assert.True(subscriber.PutFence(new FenceMark(route), MakePending(), context).IsOk);
                    if (mailbox.Count <= expected.Count)
                    {
                        // There were many, so those of no use are not there any more.
                        expected = new(expected.Where(static item => !item.IsVoid));
                        Assert.Equal(expected.Count + 1, mailbox.Count);
                    }

                    expected.Enqueue((true, step == Step.WithdrawnFence, 0));
                    break;
                case Step.Grant:
                    subscriber.Grant((uint)amount, context);
                    granted += amount;
                    break;
                default:
                    TakeAll();
                    break;
            }
        }

        Assert.Empty(expected);
        Assert.Equal(0, mailbox.Dropped);

        void TakeAll()
        {
            var items = new MailItem[capacity];
            while (outbox.TryTakeReady(out var ready))
            {
                var taken = ready!.Take(items, int.MaxValue);
                var batch = expected.Take(taken).ToArray();
                used += batch.Count(static item => !item.IsFence);
                Assert.True(used <= granted);
                for (var i = 0; i < taken; i++)
                {
                    var delivery = subscriber.Deliver(items[i]);
                    var (isFence, isVoid, version) = expected.Dequeue();
                    Assert.Equal(isFence, delivery.Fence != 0);
                    Assert.Equal(isFence && !isVoid, delivery.Number != 0);
                    Assert.Equal(isFence ? 0 : version, isFence ? 0 : delivery.Event.ToMessage().Version);

                    // Half of what is left at that moment, which is one at least. Nothing for a fence that opens no
                    // route.
                    Assert.True(used < granted || !isFence);
                    Assert.Equal(isFence && !isVoid ? (granted - used + 1) / 2 : 0, delivery.ReturnedCredit);
                    used += delivery.ReturnedCredit;
                }
            }

            // Whoever waits has no credit.
            Assert.True(expected.Count == 0 || used == granted);
        }
    }

    private static MailItem MakeItem(uint version)
    {
        var @event = new MessageEvent(new Event { Name = "E", Target = "b", Version = version });
        return new MailItem(@event, @event.Size, null);
    }

    private HubRoute MakeRoute(Mailbox mailbox, bool isWithdrawn)
    {
        var inbox = new Subscriber(1, "b", mailbox, Outbox, Hub.Metrics);
        var machine = Subscribe($"m{Guid.NewGuid():N}", Owner, Outbox).Machine!;
        return new HubRoute(5, null!, machine, machine, inbox, null!, null!) { IsWithdrawn = isWithdrawn };
    }
}
