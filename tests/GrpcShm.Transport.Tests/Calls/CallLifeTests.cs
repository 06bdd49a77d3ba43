using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>When a call may leave its connection, and that it does so once.</summary>
public sealed class CallLifeTests
{
    private readonly CallLife _life = new();

    public CallLifeTests() => _life.Attach(null!, hasWindow: false);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryLeave_BothDirectionsHaveEnded_IsTrueOnce(bool sendsFirst)
    {
        lock (_life.Gate)
        {
            End(sending: sendsFirst);
            Assert.False(_life.TryLeave());
            End(sending: !sendsFirst);

            Assert.True(_life.TryLeave());
            Assert.False(_life.TryLeave());
            Assert.False(_life.IsOn);
        }
    }

    [Fact]
    public void TryLeave_ResetIsBeingHandled_WaitsForItsEnd()
    {
        lock (_life.Gate)
        {
            _life.BeginReset();
            _life.EndUnheard();

            Assert.True(_life.HasSentEnd && _life.HasReceivedEnd);
            Assert.False(_life.TryLeave());
            _life.EndReceiving();
            Assert.True(_life.TryLeave());
        }
    }

    [Fact]
    public void TryLose_ThatWasTheLast_LeavesNothingToLeave()
    {
        lock (_life.Gate)
        {
            Assert.True(_life.TryLose());
            _life.EndUnheard();

            Assert.False(_life.TryLose());
            Assert.False(_life.TryLeave());
        }
    }

    [Fact]
    public void TryLeave_Detached_IsFalse()
    {
        _life.Detach();
        lock (_life.Gate)
        {
            _life.EndUnheard();

            Assert.False(_life.TryLeave());
        }
    }

    [Fact]
    public void Reuse_HasLeft_CarriesTheNextCallFromItsBeginning()
    {
        lock (_life.Gate)
        {
            _life.EndUnheard();
            Assert.True(_life.TryLeave());
        }

        _life.Reuse();
        Assert.False(_life.HasSentEnd || _life.HasReceivedEnd || _life.IsOn);
        _life.Attach(null!, hasWindow: true);
        lock (_life.Gate)
        {
            Assert.True(_life.IsOn && _life.HasWindow);
            Assert.False(_life.TryLeave());
        }
    }

    private void End(bool sending)
    {
        if (sending)
        {
            _life.EndSending();
        }
        else
        {
            _life.EndReceiving();
        }
    }
}
