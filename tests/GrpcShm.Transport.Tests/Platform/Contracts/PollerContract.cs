using System.Diagnostics;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of a <see cref="Poller"/>.</summary>
public abstract class PollerContract : PlatformContract
{
    private protected PollerContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Wait_NothingIsWatched_EndsWithItsTime()
    {
        using var poller = Platform.CreatePoller();
        Assert.Equal(0, poller.Wait(new PollEvent[4], 0));
        Assert.Equal(0, poller.Wait(new PollEvent[4], 1));
    }

    [Fact]
    public void Wake_BeforeTheWait_EndsTheNext()
    {
        using var poller = Platform.CreatePoller();
        poller.Wake();
        AwaitEvent(poller, Poller.WakeToken);
        AwaitSilence(poller);
    }

    [Fact]
    public async Task Wake_DuringAWaitWithoutEnd_EndsIt()
    {
        using var poller = Platform.CreatePoller();
        var events = new PollEvent[4];
        var isWoken = false;
        await TimeLimit.OnThreads(
            () =>
            {
                while (!Volatile.Read(ref isWoken))
                {
                    poller.Wait(events, block: true);
                }
            },
            () =>
            {
                Volatile.Write(ref isWoken, true);
                poller.Wake();
            });
    }

    [Fact]
    public void Wait_MoreEventsThanItHasRoomFor_ReportsAll()
    {
        const int Count = 200;
        using var poller = Platform.CreatePoller();
        var bells = Enumerable.Range(0, Count).Select(_ => Own(Platform.CreateDoorbell())).ToArray();
        for (var i = 0; i < Count; i++)
        {
            poller.Add(bells[i].Source, (ulong)i + 1);
        }

        AwaitSilence(poller);
        Array.ForEach(bells, static bell => bell.Ring());
        var missing = Enumerable.Range(1, Count).Select(static i => (ulong)i).ToHashSet();
        var events = new PollEvent[7];
        var started = Stopwatch.GetTimestamp();
        while (missing.Count > 0)
        {
            Assert.True(
                Stopwatch.GetElapsedTime(started) < TimeLimit.Value, $"{missing.Count} bells are not reported.");
            var count = poller.Wait(events, 10);
            missing.ExceptWith(events.Take(count).Select(static e => e.Token));
        }

        Array.ForEach(bells, bell => poller.Remove(bell.Source));
    }

    [Fact]
    public void Remove_TheSourceHasNews_IsNotReportedAnyMore()
    {
        using var poller = Platform.CreatePoller();
        var removed = Own(Platform.CreateDoorbell());
        var other = Own(Platform.CreateDoorbell());
        poller.Add(removed.Source, 1);
        poller.Add(other.Source, 2);
        AwaitSilence(poller);
        poller.Remove(removed.Source);
        AwaitSilence(poller);
        removed.Ring();
        other.Ring();
        var events = new PollEvent[4];
        var seen = new List<ulong>();
        for (var i = 0; i < 100 && !seen.Contains(2); i++)
        {
            var count = poller.Wait(events, 100);
            seen.AddRange(events.Take(count).Select(static e => e.Token));
        }

        Assert.Contains(2UL, seen);
        Assert.DoesNotContain(1UL, seen);
        poller.Remove(other.Source);
    }

    [Fact]
    public void Add_AfterRemove_AnotherPollerIsTold()
    {
        // Like a listener whose reactor has failed: clients that came meanwhile must not be lost.
        var bell = Own(Platform.CreateDoorbell());
        using (var first = Platform.CreatePoller())
        {
            first.Add(bell.Source, 1);
            AwaitSilence(first);
            bell.Ring();
            AwaitEvent(first, 1);
            first.Remove(bell.Source);
        }

        bell.Ring();
        using var second = Platform.CreatePoller();
        second.Add(bell.Source, 2);
        AwaitEvent(second, 2);
        second.Remove(bell.Source);
    }

    [Fact]
    public async Task Add_WhileAnotherThreadWaits_IsReportedThere()
    {
        using var poller = Platform.CreatePoller();
        var bell = Own(Platform.CreateDoorbell());
        await TimeLimit.OnThreads(() => AwaitEvent(poller, 9), () =>
        {
            poller.Add(bell.Source, 9);
            bell.Ring();
        });
        poller.Remove(bell.Source);
    }

    [Fact]
    public void Pause_Returns()
    {
        using var poller = Platform.CreatePoller();
        poller.Pause();
    }
}
