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
        Assert.Equal(PutResult.Accepted, await second!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
        Assert.Equal(PutResult.Blocked, mailbox.Put(Item(4), "m", out _));
        Assert.Equal([2u], Take(mailbox, 10));
        Assert.Equal(PutResult.Accepted, await third!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
        Assert.Equal([3u], Take(mailbox, 10));
        Assert.Equal([4u], Take(mailbox, 10));
    }

    [Fact]
    public async Task WaitAsync_WhenNoRoomComesInTime_WithdrawsTheEvent()
    {
        var mailbox = new Mailbox(1, OverflowPolicy.Block);
        mailbox.Put(Item(1), "", out _);
        mailbox.Put(Item(2), "m", out var blocked);

        Assert.Equal(PutResult.Full, await blocked!.WaitAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None).InTime());

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

        Assert.Equal(PutResult.Closed, await blocked!.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).InTime());
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

    private static MailItem Item(uint number) => new(new Event { Target = "m", Version = number }, 1, null);

    private static uint[] Take(Mailbox mailbox, int most)
    {
        var items = new MailItem[most];
        var taken = mailbox.Take(items, int.MaxValue);
        return [.. items.Take(taken).Select(item => item.Event.Version)];
    }
}
