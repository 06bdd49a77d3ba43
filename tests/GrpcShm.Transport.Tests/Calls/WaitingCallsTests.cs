using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class WaitingCallsTests
{
    private const uint One = 0x10001;
    private const uint Other = 0x10002;

    private readonly WaitingCalls _waiting = new();
    private readonly CallStream _call = new TestCall().Stream;
    private readonly CallStream _otherCall = new TestCall().Stream;

    [Fact]
    public void Add_Nobody_IsTheFirstAndIsCounted()
    {
        Assert.True(_waiting.IsEmpty);
        Assert.True(_waiting.Add(_call, One));
        Assert.Equal(1, _waiting.Count);
        Assert.True(_waiting.Contains(One));
        Assert.False(_waiting.Contains(Other));
    }

    [Fact]
    public void Add_BehindAnother_KeepsItsPlaceHoweverOftenItIsAdded()
    {
        _waiting.Add(_call, One);
        Assert.False(_waiting.Add(_otherCall, Other));
        Assert.True(_waiting.Add(_call, One));
        Assert.False(_waiting.Add(_otherCall, Other));
        Assert.Equal(2, _waiting.Count);
        AssertFirst(_call, One);
    }

    [Fact]
    public void Remove_First_MakesTheNextOneTheFirst()
    {
        _waiting.Add(_call, One);
        _waiting.Add(_otherCall, Other);
        _waiting.Remove(_call, One);
        AssertFirst(_otherCall, Other);
        _waiting.Remove(_otherCall, Other);
        Assert.True(_waiting.IsEmpty);
        Assert.False(_waiting.TryBeginTurn(out _, out _));
    }

    [Fact]
    public void Remove_DoesNotWait_ChangesNothing()
    {
        _waiting.Remove(_call, One);
        _waiting.Add(_call, One);
        _waiting.Remove(_otherCall, Other);
        Assert.Equal(1, _waiting.Count);
    }

    [Fact]
    public void Remove_IdServesAnotherCallByNow_LeavesThatAlone()
    {
        _waiting.Add(_call, One);
        AssertFirst(_call, One);

        // The client has seen the end of the call, and uses the id again before the call has left.
        _waiting.Add(_otherCall, One);
        Assert.False(_waiting.EndTurn(One, hasSent: false));
        _waiting.Remove(_call, One);

        AssertFirst(_otherCall, One);
        _waiting.Remove(_otherCall, One);
        Assert.True(_waiting.IsEmpty);
    }

    [Fact]
    public void EndTurn_WantsNoMoreRoom_WaitsNoMoreAndTheNextOneIsTried()
    {
        _waiting.Add(_call, One);
        AssertFirst(_call, One);
        Assert.True(_waiting.EndTurn(One, hasSent: true));
        Assert.True(_waiting.IsEmpty);
    }

    [Fact]
    public void EndTurn_HasSentAndWantsMore_GoesBehindTheOthers()
    {
        _waiting.Add(_call, One);
        _waiting.Add(_otherCall, Other);
        AssertFirst(_call, One);
        _waiting.Add(_call, One);
        Assert.False(_waiting.EndTurn(One, hasSent: true));
        Assert.Equal(2, _waiting.Count);
        AssertFirst(_otherCall, Other);
    }

    [Fact]
    public void EndTurn_CouldNotSend_StaysTheFirst()
    {
        _waiting.Add(_call, One);
        _waiting.Add(_otherCall, Other);
        AssertFirst(_call, One);
        _waiting.Add(_call, One);
        Assert.False(_waiting.EndTurn(One, hasSent: false));
        AssertFirst(_call, One);
    }

    [Fact]
    public void EndTurn_HasLeftMeanwhile_TheNextOneIsTried()
    {
        _waiting.Add(_call, One);
        _waiting.Add(_otherCall, Other);
        AssertFirst(_call, One);
        _waiting.Remove(_call, One);
        Assert.True(_waiting.EndTurn(One, hasSent: false));
        AssertFirst(_otherCall, Other);
    }

    [Fact]
    public void EndTurn_ObjectServesAnotherCallThatWaits_LeavesThatAlone()
    {
        _waiting.Add(_call, One);
        AssertFirst(_call, One);
        _waiting.Remove(_call, One);
        _waiting.Add(_call, Other);

        // The turn belonged to the call before, whose end must not take out the present call.
        Assert.True(_waiting.EndTurn(One, hasSent: true));
        Assert.True(_waiting.Contains(Other));
        AssertFirst(_call, Other);
    }

    [Fact]
    public void Remove_OnAnotherConnection_LeavesTheSameObjectThere()
    {
        // The ids of two connections count alike.
        var elsewhere = new WaitingCalls();
        _waiting.Add(_call, One);
        elsewhere.Add(_call, One);
        _waiting.Remove(_call, One);
        Assert.False(_waiting.Contains(One));
        Assert.True(elsewhere.Contains(One));
    }

    [Fact]
    public async Task Remove_CallsThatLeaveOnManyThreads_LeaveNoneBehind()
    {
        const int Threads = 4;
        const int Each = 5_000;
        await TimeLimit.OnThreads([.. Enumerable.Range(0, Threads).Select<int, Action>(thread => () =>
        {
            var gate = new Lock();
            for (var round = 0; round < Each; round++)
            {
                var id = (uint)((round << 16) | thread);
                lock (gate)
                {
                    _waiting.Add(_call, id);
                }

                // A call leaves only by a step under its gate, after the step in which it added itself.
                lock (gate)
                {
                }

                _waiting.Remove(_call, id);
                Assert.False(_waiting.Contains(id));
            }
        })]);
        Assert.True(_waiting.IsEmpty);
        Assert.False(_waiting.TryBeginTurn(out _, out _));
    }

    [Fact]
    public void Add_AgainAndAgain_AllocatesNothing()
    {
        void Wait()
        {
            _waiting.Add(_call, One);
            _waiting.Add(_otherCall, Other);
            _waiting.TryBeginTurn(out _, out _);
            _waiting.EndTurn(One, hasSent: true);
            _waiting.Remove(_otherCall, Other);
        }

        Wait();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            Wait();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private void AssertFirst(CallStream call, uint id)
    {
        Assert.True(_waiting.TryBeginTurn(out var first, out var firstId));
        Assert.Same(call, first);
        Assert.Equal(id, firstId);
    }
}
