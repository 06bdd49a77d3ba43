using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class SendWatchTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private const long Window = 64 * 1024;

    private static readonly DataRate Rate = new(1000, TimeSpan.FromSeconds(5));

    [Fact]
    public void IsOverdue_NothingIsTaken_ComesWhenTheWindowCouldHaveBeenRead()
    {
        var watch = default(SendWatch);
        var seconds = CountUntilOverdue(ref watch, Window, static _ => 0);

        // The wait is seen in the first second. After that the time for a window at that rate and a heartbeat's
        // interval have to pass.
        Assert.Equal(68, seconds);
    }

    [Fact]
    public void IsOverdue_LittleWasSent_ComesAfterTheGracePeriod()
    {
        var watch = default(SendWatch);

        Assert.Equal(8, CountUntilOverdue(ref watch, unread: 10, static _ => 0));
    }

    [Fact]
    public void IsOverdue_TakenAtTheRate_NeverComes()
    {
        var watch = default(SendWatch);

        // In pieces, as credit comes from the peer.
        Assert.Equal(10_000, CountUntilOverdue(ref watch, Window, static second => second % 60 == 0 ? 60_000 : 0));
    }

    [Fact]
    public void IsOverdue_TakenMoreSlowly_Comes()
    {
        var watch = default(SendWatch);

        Assert.InRange(CountUntilOverdue(ref watch, Window, static second => second % 60 == 0 ? 30_000 : 0), 60, 1000);
    }

    [Fact]
    public void IsOverdue_OneByteNowAndThen_GainsNoTime()
    {
        var watch = default(SendWatch);

        Assert.InRange(CountUntilOverdue(ref watch, Window, static second => second % 10 == 0 ? 1 : 0), 67, 80);
    }

    [Fact]
    public void IsOverdue_FastBefore_BuysNoMoreThanTheWindow()
    {
        var watch = default(SendWatch);
        var taken = 0L;
        for (var second = 1; second <= 100; second++)
        {
            Assert.False(watch.IsOverdue(second * Second, waits: true, taken += 100_000_000, Window, Rate));
        }

        var late = 100L;
        while (!watch.IsOverdue(++late * Second, waits: true, taken, Window, Rate))
        {
        }

        Assert.Equal(167, late);
    }

    [Fact]
    public void IsOverdue_NobodyWaited_BeginsAgain()
    {
        var watch = default(SendWatch);
        for (var second = 1; second <= 1000; second++)
        {
            Assert.False(watch.IsOverdue(second * Second, waits: second % 6 != 0, 0, unread: 10, Rate));
        }
    }

    private static int CountUntilOverdue(ref SendWatch watch, long unread, Func<int, long> taken)
    {
        var progress = 0L;
        for (var second = 1; second < 10_000; second++)
        {
            if (watch.IsOverdue(second * Second, waits: true, progress += taken(second), unread, Rate))
            {
                return second;
            }
        }

        return 10_000;
    }
}
