using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>How long a peer may let a call wait.</summary>
public sealed class PeerWaitsTests
{
    private static readonly long Second = TimeSpan.TicksPerSecond;
    private static readonly DataRate Rate = new(100, TimeSpan.FromSeconds(5));

    private PeerWaits _waits;

    [Fact]
    public void IsDataOverdue_NothingComes_IsSoBehindTheGracePeriod()
    {
        for (var second = 0; second < 5; second++)
        {
            Assert.False(_waits.IsDataOverdue(Second, received: 0, Rate));
        }

        Assert.True(_waits.IsDataOverdue(Second, received: 0, Rate));
    }

    [Fact]
    public void IsDataOverdue_ComesFastEnough_IsNot()
    {
        for (var second = 1; second <= 20; second++)
        {
            Assert.False(_waits.IsDataOverdue(Second, received: 100 * second, Rate));
        }

        Assert.True(_waits.IsDataOverdue(Second, received: (100 * 21) - 1, Rate));
    }

    [Fact]
    public void IsCreditOverdue_NothingIsTaken_IsSoInTheEnd()
    {
        var seconds = 0;
        while (!_waits.IsCreditOverdue(seconds * Second, waits: true, sent: 0, Rate) && seconds < 100)
        {
            seconds++;
        }

        Assert.InRange(seconds, 6, 8);
    }

    [Fact]
    public void IsCreditOverdue_NothingWaits_IsNot()
    {
        for (var second = 0; second < 100; second++)
        {
            Assert.False(_waits.IsCreditOverdue(second * Second, waits: false, sent: 0, Rate));
        }
    }
}
