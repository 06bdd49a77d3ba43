using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport.Tests.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Frames for which a peer that sleeps need not be woken at once, counted by doorbells.</summary>
public sealed class QuietFrameTests
{
    private readonly OwedWakes _owed = new();

    [Fact]
    public async Task Quiet_OnAThreadOfNoReactor_RingsAtOnce()
    {
        await using var pair = await FramePair.CreateAsync();
        PutToSleep(pair);

        Put(pair, isQuiet: true);

        Assert.Equal(1, Rung(pair));
    }

    [Fact]
    public Task Quiet_PeerIsAwake_OwesNothing() => LeadAsync(pair =>
    {
        var saved = pair.Sender.Counters.DoorbellsSaved;

        Put(pair, isQuiet: true);

        Assert.False(_owed.HasAny);
        Assert.Single(pair.TakeAll(out _));
        Assert.Equal(saved + 1, pair.Sender.Counters.DoorbellsSaved);
    });

    [Fact]
    public Task Quiet_PeerSleeps_IsThereAndRingsNot() => LeadAsync(pair =>
    {
        PutToSleep(pair);

        Put(pair, isQuiet: true);

        Assert.Equal(0, Rung(pair));
        Assert.True(_owed.HasAny);
        Assert.Single(pair.TakeAll(out _));
    });

    [Fact]
    public Task Quiet_ThenOneThatIsNot_RingsOnceForBoth() => LeadAsync(pair =>
    {
        PutToSleep(pair);
        Put(pair, isQuiet: true);
        Put(pair, isQuiet: true);

        Put(pair, isQuiet: false);

        Assert.Equal(1, Rung(pair));
        _owed.Pay();
        Assert.Equal(1, Rung(pair));
        Assert.Equal(3, pair.TakeAll(out _).Count);
    });

    [Fact]
    public Task Quiet_ReactorIsAboutToSleep_RingsOnceForAll() => LeadAsync(pair =>
    {
        PutToSleep(pair);
        Put(pair, isQuiet: true);
        Put(pair, isQuiet: true);

        _owed.Pay();

        Assert.Equal(1, Rung(pair));
        _owed.Pay();
        Assert.Equal(1, Rung(pair));
    });

    [Fact]
    public Task Quiet_PeerWakesByItself_NothingIsRung() => LeadAsync(pair =>
    {
        PutToSleep(pair);
        Put(pair, isQuiet: true);
        pair.Receiver.Inbound.AnnounceAwake();

        _owed.Pay();

        Assert.Equal(0, Rung(pair));
    });

    [Fact]
    public Task Quiet_PeerSleepsOnceMore_EachSleepCostsOneDoorbell() => LeadAsync(pair =>
    {
        for (var sleeps = 1; sleeps <= 3; sleeps++)
        {
            PutToSleep(pair);
            Put(pair, isQuiet: true);
            _owed.Pay();
            Assert.Equal(sleeps, Rung(pair));
            Assert.Single(pair.TakeAll(out _));
        }
    });

    [Fact]
    public Task Quiet_ConnectionEndsFirst_ThePaymentTouchesNothing() => LeadAsync(pair =>
    {
        PutToSleep(pair);
        Put(pair, isQuiet: true);
        pair.Sender.Dispose();

        _owed.Pay();

        Assert.Equal(0, Rung(pair));
        Assert.False(_owed.HasAny);
    });

    private static void PutToSleep(FramePair pair)
    {
        pair.Receiver.Inbound.AnnounceSleep();
        Assert.False(pair.Receiver.Inbound.Peek());
    }

    private static long Rung(FramePair pair) => pair.Sender.Counters.DataDoorbells;

    private static void Put(FramePair pair, bool isQuiet)
    {
        var header = FrameWriter.CreateHeader(FrameType.Ping, 0, 1);
        Assert.True(pair.Writer.TryPut(header, default, default, default, isQuiet));
    }

    /// <summary>Runs a test on a thread that leads a reactor, which owes in the list of the test.</summary>
    private async Task LeadAsync(Action<FramePair> test)
    {
        await using var pair = await FramePair.CreateAsync();
        await LeaderThread.RunAsync(() =>
        {
            new ReactorLeadership(IdleReactor.Create(), _owed).Begin(UnknownThreadWatch.Instance);
            test(pair);
        });
    }
}
