using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class ReactorSlotsTests
{
    private readonly ReactorSlots _slots = new();

    [Fact]
    public void Find_AddedTarget_IsFound()
    {
        var targets = Enumerable.Range(0, 100).Select(_ => new FakeTarget()).ToArray();
        var tokens = Array.ConvertAll(targets, _slots.Add);
        Assert.Equal(100, tokens.Distinct().Count());
        for (var i = 0; i < targets.Length; i++)
        {
            Assert.Same(targets[i], _slots.Find(tokens[i]));
        }
    }

    [Fact]
    public void Find_StaleToken_DoesNotReachTheSlotsNextOwner()
    {
        var old = _slots.Add(new FakeTarget());
        _slots.Remove(old);
        Assert.Null(_slots.Find(old));

        var successor = new FakeTarget();
        var token = _slots.Add(successor);

        Assert.Equal((uint)old, (uint)token);
        Assert.Null(_slots.Find(old));
        Assert.Same(successor, _slots.Find(token));
    }

    [Fact]
    public void Remove_StaleToken_DoesNotTakeTheNextOwnersSlot()
    {
        var old = _slots.Add(new FakeTarget());
        _slots.Remove(old);
        var token = _slots.Add(new FakeTarget());

        _slots.Remove(old);

        Assert.NotNull(_slots.Find(token));
        Assert.NotEqual((uint)token, (uint)_slots.Add(new FakeTarget()));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(0x1_0000_0005ul)]
    [InlineData(0x1_7FFF_FFFFul)]
    public void Find_UnknownToken_IsNull(ulong token) => Assert.Null(_slots.Find(token));

    [Fact]
    public async Task Find_WhileOthersComeAndGo_GivesTheRightTargetOrNone()
    {
        var kept = new FakeTarget();
        var token = _slots.Add(kept);
        var over = false;
        await TimeLimit.OnThreads(
            () =>
            {
                while (!Volatile.Read(ref over))
                {
                    Assert.Same(kept, _slots.Find(token));
                }
            },
            () =>
            {
                for (var i = 0; i < 200; i++)
                {
                    var tokens = Enumerable.Range(0, i).Select(_ => _slots.Add(new FakeTarget())).ToArray();
                    Array.ForEach(tokens, token => _slots.Remove(token));
                }

                Volatile.Write(ref over, true);
            });
    }
}
