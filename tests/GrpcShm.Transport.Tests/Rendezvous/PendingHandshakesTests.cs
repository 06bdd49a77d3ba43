using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class PendingHandshakesTests
{
    [Fact]
    public void TryBegin_AsManyAsMayBe_RefusesUntilOneEnds()
    {
        var handshakes = new PendingHandshakes(most: 2);
        Assert.True(handshakes.TryBegin());
        Assert.True(handshakes.TryBegin());
        Assert.False(handshakes.TryBegin());

        handshakes.End();
        Assert.True(handshakes.TryBegin());
        Assert.False(handshakes.TryBegin());
    }

    [Fact]
    public async Task WhenAllEnded_SomeAreUnderWay_WaitsForTheLast()
    {
        var handshakes = new PendingHandshakes(most: 2);
        handshakes.TryBegin();
        handshakes.TryBegin();
        var ended = handshakes.WhenAllEnded();

        handshakes.End();
        Assert.False(ended.IsCompleted);
        handshakes.End();
        await ended.InTime();
    }

    [Fact]
    public async Task BeginRefusal_NoRoom_IsWaitedForAndTakesNoRoom()
    {
        var handshakes = new PendingHandshakes(most: 1);
        handshakes.TryBegin();
        handshakes.BeginRefusal();
        handshakes.End();
        Assert.False(handshakes.TryBegin());
        var ended = handshakes.WhenAllEnded();
        Assert.False(ended.IsCompleted);

        handshakes.End();
        await ended.InTime();
    }

    [Fact]
    public async Task WhenAllEnded_NoneIsUnderWay_DoesNotWait()
    {
        var handshakes = new PendingHandshakes(most: 1);
        handshakes.TryBegin();
        handshakes.End();
        await handshakes.WhenAllEnded().InTime();
    }
}
