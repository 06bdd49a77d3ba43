using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class PingsTests
{
    private readonly Pings _pings = new();

    [Fact]
    public async Task TakeAnswer_OfThePingThatSomebodyWaitsFor_EndsTheWait()
    {
        var wait = _pings.WaitAsync(out var number);
        Assert.Equal(1ul, number);
        Assert.False(wait.IsCompleted);
        Assert.False(_pings.TakeAnswer(number));
        await wait.InTime();
    }

    [Fact]
    public async Task WaitAsync_OneIsUnderWay_SendsNoOtherPingAndEndsWithTheFirst()
    {
        var first = _pings.WaitAsync(out var number);
        var second = _pings.WaitAsync(out var none);
        Assert.Equal(0ul, none);
        _pings.TakeAnswer(number);
        await first.InTime();
        await second.InTime();
    }

    [Fact]
    public void WaitAsync_AfterAnAnswer_SendsAnotherPing()
    {
        _pings.WaitAsync(out var first);
        _pings.TakeAnswer(first);
        Assert.False(_pings.WaitAsync(out var second).IsCompleted);
        Assert.Equal(first + 1, second);
    }

    [Fact]
    public void TakeAnswer_OfAnEarlierPing_EndsNoWait()
    {
        _pings.WaitAsync(out var first);
        _pings.TakeAnswer(first);
        var wait = _pings.WaitAsync(out _);
        _pings.TakeAnswer(first);
        Assert.False(wait.IsCompleted);
    }

    [Fact]
    public void TakeAnswer_OfAPingThatWasNotSent_SaysNothing()
    {
        var wait = _pings.WaitAsync(out var number);
        var farewell = _pings.CreateFarewell();
        Assert.False(_pings.TakeAnswer(farewell + 1));
        Assert.False(_pings.TakeAnswer(ulong.MaxValue));
        Assert.False(wait.IsCompleted);
        Assert.NotEqual(number, farewell);
    }

    [Fact]
    public async Task TakeAnswer_OfTheFarewell_IsASignOfLifeToo()
    {
        var wait = _pings.WaitAsync(out _);
        Assert.True(_pings.TakeAnswer(_pings.CreateFarewell()));
        await wait.InTime();
    }

    [Fact]
    public void TakeAnswer_OfAPingBeforeTheFarewell_IsNotTheFarewells()
    {
        _pings.WaitAsync(out var before);
        var farewell = _pings.CreateFarewell();
        Assert.False(_pings.TakeAnswer(before));
        Assert.True(_pings.TakeAnswer(farewell));
    }

    [Fact]
    public async Task End_SomebodyWaits_GivesThatToTheCallerAndLetsNobodyElseWait()
    {
        var wait = _pings.WaitAsync(out _);
        var waiter = _pings.End();
        Assert.NotNull(waiter);
        Assert.Same(wait, waiter.Task);
        Assert.Null(_pings.End());
        await Assert.ThrowsAsync<IOException>(() => _pings.WaitAsync(out _).InTime());
    }
}
