using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>The frames of a call besides its messages.</summary>
public sealed class OwedFramesTests
{
    private OwedFrames _owed;

    [Fact]
    public void TryPeek_CreditInPieces_IsOneFrame()
    {
        _owed.OweCredit(3);
        _owed.OweCredit(4);

        Assert.True(_owed.TryPeek(takesCredit: true, out var type, out var argument));
        Assert.Equal((FrameType.Credit, 7u), (type, argument));
        _owed.Settle(type);
        Assert.False(_owed.TryPeek(takesCredit: true, out _, out _));
    }

    [Fact]
    public void TryPeek_PeerHasEnded_IsToldOfNoCredit()
    {
        _owed.OweCredit(3);

        Assert.False(_owed.TryPeek(takesCredit: false, out _, out _));
    }

    [Fact]
    public void TryPeek_GivenUp_GoesBeforeCredit()
    {
        _owed.OweCredit(3);
        _owed.OweReset(CallError.Cancelled);

        Assert.True(_owed.TryPeek(takesCredit: true, out var type, out var argument));
        Assert.Equal((FrameType.Reset, (uint)CallError.Cancelled), (type, argument));
        Assert.True(_owed.HasReset);
        _owed.Settle(type);
        Assert.False(_owed.HasReset);
    }
}
