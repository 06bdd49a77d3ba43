using Google.Protobuf;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Mailboxes;

public sealed class MailboxTests
{
    [Theory]
    [InlineData(OverflowPolicy.DropOldest, new uint[] { 3, 4, 5 }, 2)]
    [InlineData(OverflowPolicy.DropNewest, new uint[] { 1, 2, 3 }, 2)]
    [InlineData(OverflowPolicy.Grow, new uint[] { 1, 2, 3 }, 0)]
    [InlineData(OverflowPolicy.Block, new uint[] { 1, 2, 3 }, 0)]
    public void Put_WhenFull_DoesAsThePolicySays(OverflowPolicy policy, uint[] kept, long dropped)
    {
        var mailbox = new Mailbox(3, policy);

        for (uint number = 1; number <= 5; number++)
        {
            mailbox.Put(Item(number), "m", out _);
        }

        Assert.Equal(dropped, mailbox.Dropped);
        Assert.Equal(kept, Take(mailbox, 3));
    }

    [Fact]
    public void Put_WhenFullAndGrowing_RefusesAtTheLimit()
    {
        var mailbox = new Mailbox(100, OverflowPolicy.Grow);

        for (uint number = 1; number <= 100; number++)
        {
            Assert.Equal(PutResult.Accepted, mailbox.Put(Item(number), "m", out _));
        }

        Assert.Equal(PutResult.Full, mailbox.Put(Item(101), "m", out _));
        Assert.Equal(Enumerable.Range(1, 100).Select(number => (uint)number), Take(mailbox, 200));
    }

    [Fact]
    public async Task Put_WhenBlocked_KeepsTheOrderOfSenders()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        mailbox.Put(Item(1), "", out _);
        mailbox.Put(Item(2), "m", out var second);
        mailbox.Put(Item(3), "m", out var third);

        Assert.Equal([1u], Take(mailbox, 10));
        Assert.Equal(
            PutResult.Accepted, await second!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
        Assert.Equal(PutResult.Blocked, mailbox.Put(Item(4), "m", out _));
        Assert.Equal([2u], Take(mailbox, 10));
        Assert.Equal(
            PutResult.Accepted, await third!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
        Assert.Equal([3u], Take(mailbox, 10));
        Assert.Equal([4u], Take(mailbox, 10));
    }

    [Fact]
    public async Task WaitAsync_WhenNoRoomComesInTime_WithdrawsTheEvent()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        mailbox.Put(Item(1), "", out _);
        mailbox.Put(Item(2), "m", out var blocked);

        Assert.Equal(
            PutResult.Full, await blocked!.WaitAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None).InTime());

        Assert.Equal([1u], Take(mailbox, 10));
        Assert.Equal(0, mailbox.Count);
    }

    [Fact]
    public async Task Close_WithBlockedSendersAndWaiters_TellsThemAll()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        var pending = new PendingAcknowledgement("m", AcknowledgementLevel.Processed);
        mailbox.Put(Item(1) with { Pending = pending }, "m", out _);
        mailbox.Put(Item(2), "m", out var blocked);

        mailbox.Close();

        Assert.Equal(
            PutResult.Closed, await blocked!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
        var result = await pending.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime();
        Assert.Equal(Grpc.Core.StatusCode.Unavailable, result.Verdict.Code);
        Assert.Equal(PutResult.Closed, mailbox.Put(Item(3), "m", out _));
    }

    [Fact]
    public void Take_WithLargeEvents_StaysWithinTheBytesButTakesOne()
    {
        var mailbox = new Mailbox(10, OverflowPolicy.Block);
        for (uint number = 1; number <= 4; number++)
        {
            mailbox.Put(Item(number) with { Size = 100 }, "", out _);
        }

        var items = new MailItem[10];
        Assert.Equal(2, mailbox.Take(items, 250));
        Assert.Equal(1, mailbox.Take(items, 10));
        Assert.Equal(1, mailbox.Take(items, 1000));
    }

    [Fact]
    public async Task Put_AfterASenderWaitedInVain_MakesNobodyWaitUntilSomethingIsTaken()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        mailbox.Put(Item(1), "m", out _);
        mailbox.Put(Item(2), "m", out var blocked);
        Assert.Equal(
            PutResult.Full, await blocked!.WaitAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None).InTime());

        Assert.Equal(PutResult.Full, mailbox.Put(Item(3), "m", out _));
        Assert.Equal(PutResult.Dropped, mailbox.Put(Item(4), "", out _));
        Assert.Equal([1u], Take(mailbox, 10));

        Assert.Equal(PutResult.Accepted, mailbox.Put(Item(5), "m", out _));
        Assert.Equal(PutResult.Blocked, mailbox.Put(Item(6), "m", out _));
    }

    [Fact]
    public async Task Put_AfterASenderGaveUpByItself_StillMakesOthersWait()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        mailbox.Put(Item(1), "m", out _);
        mailbox.Put(Item(2), "m", out var blocked);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => blocked!.WaitAsync(TimeSpan.FromSeconds(10), new CancellationToken(true)).InTime());

        Assert.Equal(PutResult.Blocked, mailbox.Put(Item(3), "m", out _));
    }

    [Theory]
    [InlineData(OverflowPolicy.DropOldest, new uint[] { 3, 4 })]
    [InlineData(OverflowPolicy.DropNewest, new uint[] { 1, 2 })]
    [InlineData(OverflowPolicy.Grow, new uint[] { 1, 2 })]
    public void Put_MoreBytesThanItHolds_DoesAsThePolicySays(OverflowPolicy policy, uint[] kept)
    {
        var dropped = 0;
        var mailbox = new Mailbox(100, policy, 100_000, null, count => dropped += count);

        for (uint number = 1; number <= 4; number++)
        {
            mailbox.Put(Large(number, 40_000), "m", out _);
        }

        Assert.Equal(kept, Take(mailbox, 10));
        Assert.Equal(policy == OverflowPolicy.Grow ? 0 : 2, dropped);
        Assert.Equal(dropped, mailbox.Dropped);
    }

    [Fact]
    public void Put_LargeEventIntoManySmallOnes_DropsAsManyAsItsBytesNeed()
    {
        var mailbox = new Mailbox(100, OverflowPolicy.DropOldest, 20_000);
        for (uint number = 1; number <= 10; number++)
        {
            mailbox.Put(Item(number), "m", out _);
        }

        Assert.Equal(PutResult.Dropped, mailbox.Put(Large(11, 17_000), "m", out _));

        Assert.Equal([7u, 8, 9, 10, 11], Take(mailbox, 20));
        Assert.Equal(6, mailbox.Dropped);
    }

    [Fact]
    public void Put_LargerThanTheWholeMailbox_IsTakenAlone()
    {
        var mailbox = new Mailbox(100, OverflowPolicy.Grow, 1000);

        Assert.Equal(PutResult.Accepted, mailbox.Put(Large(1, 5000), "m", out _));
        Assert.Equal(PutResult.Full, mailbox.Put(Item(2), "m", out _));
        Assert.Equal([1u], Take(mailbox, 10));
    }

    [Fact]
    public void Put_SessionsShareIsUsedUp_IsRefusedAtOnceAndGivenBackWhenTaken()
    {
        var hub = new Quota(1_000_000, "hub");
        var quota = new Quota(200_000, "session", hub);
        var first = new Mailbox(100, OverflowPolicy.Block, long.MaxValue, quota);
        var second = new Mailbox(100, OverflowPolicy.Block, long.MaxValue, quota);
        Assert.Equal(PutResult.Accepted, first.Put(Large(1, 150_000), "m", out _));

        Assert.Equal(PutResult.Full, second.Put(Large(2, 150_000), "m", out _));
        Assert.Equal(quota.Used, hub.Used);
        Assert.Equal([1u], Take(first, 10));
        Assert.Equal(0, quota.Used);
        Assert.Equal(PutResult.Accepted, second.Put(Large(3, 150_000), "m", out _));
        second.Close();

        Assert.Equal((0, 0), (quota.Used, hub.Used));
    }

    [Theory]
    [InlineData(1000, 2)]
    [InlineData(5000, 1)]
    public void Weight_OfAnEvent_CountsItsPayloadForEachFormThatItMayHave(int payload, int forms)
    {
        var item = Large(1, payload);
        var message = new MailItem(new MessageEvent(item.Event.ToMessage()), item.Size, null);

        Assert.InRange(item.Weight, forms * payload, (forms * payload) + 1000);
        Assert.InRange(message.Weight, 2 * payload, (2 * payload) + 1000);
    }

    [Fact]
    public void Put_FirstEvent_BringsTheMailboxItsMemory()
    {
        var items = Enumerable.Range(0, 20).Select(i => Item((uint)i)).ToArray();
        var taken = new MailItem[20];

        // The first one only lets all of the code be compiled.
        Measure();
        var (made, first, next, second) = Measure();

        Assert.InRange(made, 1, 300);
        Assert.InRange(first, 1, 300);
        Assert.Equal((0, 0), (next, second));

        (long Made, long First, long Next, long Second) Measure()
        {
            var start = GC.GetAllocatedBytesForCurrentThread();
            var mailbox = new Mailbox(65_536, OverflowPolicy.Grow);
            mailbox.Take(taken, int.MaxValue);
            var made = GC.GetAllocatedBytesForCurrentThread();
            mailbox.Put(items[0], "m", out _);
            var first = GC.GetAllocatedBytesForCurrentThread();
            mailbox.Put(items[1], "m", out _);
            mailbox.Put(items[2], "m", out _);
            var next = GC.GetAllocatedBytesForCurrentThread();
            mailbox.Take(taken, int.MaxValue);
            mailbox.Put(items[3], "m", out _);
            return (made - start, first - made, next - first, GC.GetAllocatedBytesForCurrentThread() - next);
        }
    }

    [Fact]
    public void Put_WithManyFences_HasRoomForAsManyEventsAsEver()
    {
        var mailbox = new Mailbox(2, OverflowPolicy.Block);
        for (uint route = 1; route <= 5; route++)
        {
            mailbox.PutFence(Fence(NewRoute(route)));
        }

        Assert.Equal(PutResult.Accepted, mailbox.Put(Item(1), "m", out _));
        Assert.Equal(PutResult.Accepted, mailbox.Put(Item(2), "m", out _));
        Assert.Equal(PutResult.Blocked, mailbox.Put(Item(3), "m", out _));
        Assert.Equal((7, 5, 2), (mailbox.Count, mailbox.Fences, mailbox.Waiting));
    }

    [Fact]
    public void Put_WithManyFences_HasAsMuchMemoryAsEver()
    {
        var quota = new Quota(20_000, "bytes", null);
        var mailbox = new Mailbox(1_000, OverflowPolicy.Grow, 20_000, quota);
        for (uint route = 1; route <= 1_000; route++)
        {
            Assert.Equal(PutResult.Accepted, mailbox.PutFence(Fence(NewRoute(route))));
        }

        Assert.Equal(PutResult.Accepted, mailbox.Put(Large(1, 9_000), "m", out _));
        while (mailbox.Count > 0)
        {
            mailbox.Take(new MailItem[10], int.MaxValue);
        }

        Assert.Equal(PutResult.Accepted, mailbox.Put(Large(2, 9_000), "m", out _));
        Assert.Equal(PutResult.Accepted, mailbox.Put(Large(3, 9_000), "m", out _));
        Assert.Equal(PutResult.Full, mailbox.Put(Large(4, 9_000), "m", out _));
    }

    [Fact]
    public void PutFence_AgainAndAgainForRoutesThatEnd_KeepsFewOfThem()
    {
        var mailbox = new Mailbox(100, OverflowPolicy.Block);
        var live = NewRoute(1);
        mailbox.Put(Item(1), "m", out _);
        mailbox.PutFence(Fence(live));
        mailbox.Put(Item(2), "m", out _);
        for (uint number = 2; number <= 20_000; number++)
        {
            var route = NewRoute(number);
            Assert.Equal(PutResult.Accepted, mailbox.PutFence(Fence(route)));
            route.IsWithdrawn = true;
            Assert.InRange(mailbox.Fences, 1, 40);
        }

        mailbox.Put(Item(3), "m", out _);

        // One take ends behind a fence.
        var taken = new List<MailItem>();
        var fences = 0;
        while (mailbox.Count > 0)
        {
            var items = new MailItem[100];
            taken.AddRange(items.Take(mailbox.Take(items, int.MaxValue, long.MaxValue, out var next)));
            Assert.True(next == 0 || taken[^1].Event is FenceMark);
            fences += next;
        }

        var left = taken.Where(item => item.Event is not FenceMark { Route.IsWithdrawn: true }).ToArray();
        Assert.Equal([1u, 0u, 2u, 3u], left.Select(item => item.Event is FenceMark ? 0 : Version(item)));
        Assert.Same(live, Assert.IsType<FenceMark>(left[1].Event).Route);
        Assert.Equal(taken.Count - 3, fences);
        Assert.Equal((0, 0), (mailbox.Count, mailbox.Fences));
    }

    private static HubRoute NewRoute(uint number) => new(number, null!, null!, null!, null!, null!, null!);

    private static MailItem Fence(HubRoute route) => new(new FenceMark(route), 0, null);

    private static uint Version(in MailItem item) => item.Event.ToMessage().Version;

    private static MailItem Large(uint number, int bytes)
    {
        var message = new Event { Target = "m", Version = number, Payload = ByteString.CopyFrom(new byte[bytes]) };
        Assert.True(ReceivedEvent.TryCreate(message.ToByteArray(), "", out var received));
        return new MailItem(received!, received!.Size, null);
    }

    private static MailItem Item(uint number) =>
        new(new MessageEvent(new Event { Target = "m", Version = number }), 1, null);

    private static uint[] Take(Mailbox mailbox, int most)
    {
        var items = new MailItem[most];
        var taken = mailbox.Take(items, int.MaxValue);
        return [.. items.Take(taken).Select(item => item.Event.ToMessage().Version)];
    }
}
