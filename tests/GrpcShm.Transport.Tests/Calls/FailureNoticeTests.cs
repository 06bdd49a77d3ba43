using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>The orders in which a failure can be expected, noted and told.</summary>
public sealed class FailureNoticeTests
{
    private readonly FailureNotice _notice = new();

    [Fact]
    public void TryTell_NobodyHasNotedIt_Tells()
    {
        _notice.Expect();
        Assert.True(_notice.IsPending);

        Assert.True(_notice.TryTell());
        Assert.False(_notice.IsPending);
    }

    [Fact]
    public void TryTell_SomebodyHasNotedIt_LeavesItToTell()
    {
        _notice.Expect();
        _notice.Note();

        Assert.False(_notice.TryTell());
        Assert.True(_notice.IsPending);
        _notice.Tell();
        Assert.False(_notice.IsPending);
    }

    [Fact]
    public void NoteAndExpect_HasBeenTold_StaysTold()
    {
        _notice.Note();
        _notice.Tell();

        _notice.Note();
        _notice.Expect();

        Assert.False(_notice.IsPending);
        Assert.True(_notice.TryTell());
    }

    [Fact]
    public void Expect_HasBeenNoted_StaysNoted()
    {
        _notice.Note();
        _notice.Expect();

        Assert.False(_notice.TryTell());
    }

    [Fact]
    public void Reuse_HasBeenTold_MayFailAnew()
    {
        _notice.Note();
        _notice.Tell();
        _notice.Reuse();

        Assert.False(_notice.IsPending);
        _notice.Note();
        Assert.True(_notice.IsPending);
    }
}
