namespace GrpcShm.Transport.Tests.Signaling;

public sealed class SignaledOperationTests
{
    private readonly CountedOperation _operation = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Start_ConditionHolds_CompletesAtOnceAndAnnouncesNothing()
    {
        _operation.Add(3);
        Assert.Equal(3, await _operation.StartAsync(None));
        Assert.Equal(0, _operation.Announcements);
    }

    [Fact]
    public async Task Start_ConditionDoesNotHold_AnnouncesAndLooksAgainBeforeItWaits()
    {
        var operation = _operation.StartAsync(None).AsTask();
        Assert.Equal(1, _operation.Announcements);
        Assert.Equal(2, _operation.Looks);
        Assert.True(_operation.IsWaiting);
        _operation.Signal(onReactor: false);
        Assert.True(_operation.IsWaiting);
        _operation.Add(1);
        Assert.Equal(1, await operation.InTime());
        Assert.False(_operation.IsWaiting);
    }

    [Fact]
    public async Task Signal_ManyThreads_NoneIsLost()
    {
        const int Threads = 4;
        const int Each = 20_000;
        var adding = TimeLimit.OnThreads([.. Enumerable.Repeat<Action>(
            () =>
            {
                for (var i = 0; i < Each; i++)
                {
                    _operation.Add(1);
                    if (i % 64 == 0)
                    {
                        Thread.Yield();
                    }
                }
            },
            Threads)]);

        // A lost signal leaves the last read waiting for ever.
        var sum = 0;
        while (sum < Threads * Each)
        {
            sum += await _operation.StartAsync(None).InTime();
        }

        await adding;
        Assert.Equal(Threads * Each, sum);
    }

    [Fact]
    public async Task Cancel_AgainstSignals_LosesNoneAndNeverReachesTheNextOperation()
    {
        const int Total = 4_000;
        var adding = TimeLimit.OnThreads(() =>
        {
            for (var i = 0; i < Total; i++)
            {
                _operation.Add(1);
                Thread.Yield();
            }
        });
        var sum = 0;
        while (sum < Total)
        {
            using var source = new CancellationTokenSource();
            var operation = _operation.StartAsync(source.Token).AsTask();
            var cancelling = Task.Run(source.Cancel, None);
            try
            {
                sum += await operation.InTime();
            }
            catch (OperationCanceledException exception)
            {
                Assert.Equal(source.Token, exception.CancellationToken);
            }

            await cancelling;
        }

        await adding;
        Assert.Equal(Total, sum);
    }

    [Fact]
    public async Task Start_TokenIsCancelledAlready_LooksNotEvenOnce()
    {
        _operation.Add(1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _operation.StartAsync(new CancellationToken(canceled: true)).InTime());
        Assert.Equal(0, _operation.Looks);
        Assert.Equal(1, await _operation.StartAsync(None).InTime());
    }

    [Fact]
    public async Task Start_WhileOneIsUnderWay_IsRefused()
    {
        var operation = _operation.StartAsync(None).AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = _operation.StartAsync(None).AsTask(); });
        _operation.Add(1);
        await operation.InTime();
    }

    [Fact]
    public async Task TryComplete_Throws_FailsTheOperationAndTheNextOneWorks()
    {
        _operation.Failure = new InvalidDataException();
        await Assert.ThrowsAsync<InvalidDataException>(() => _operation.StartAsync(None).InTime());
        _operation.Failure = null;
        var operation = _operation.StartAsync(None).AsTask();
        _operation.Failure = new InvalidDataException();
        _operation.Signal(onReactor: false);
        await Assert.ThrowsAsync<InvalidDataException>(() => operation.InTime());
        _operation.Failure = null;
        _operation.Add(2);
        Assert.Equal(2, await _operation.StartAsync(None).InTime());
    }

    [Fact]
    public void Seal_Idle_RunsAtOnceAndOnlyTheFirst()
    {
        var sealings = 0;
        _operation.Seal(() => sealings++);
        _operation.Seal(() => sealings += 100);
        Assert.Equal(1, sealings);
        Assert.Throws<ObjectDisposedException>(() => { _ = _operation.StartAsync(None).AsTask(); });
        _operation.Add(1);
        Assert.Equal(1, sealings);
    }

    [Fact]
    public async Task Seal_OperationIsUnderWay_RunsAfterIt()
    {
        var sealings = 0;
        var operation = _operation.StartAsync(None).AsTask();
        _operation.Seal(() => sealings++);
        Assert.Equal(0, sealings);
        _operation.Add(5);
        Assert.Equal(5, await operation.InTime());
        Assert.Equal(1, sealings);
        Assert.Throws<ObjectDisposedException>(() => { _ = _operation.StartAsync(None).AsTask(); });
    }

    [Fact]
    public void Seal_Owned_RunsWhenTheOwnerLeaves()
    {
        var sealings = 0;
        _operation.EnterAndLeave(() =>
        {
            _operation.Seal(() => sealings++);
            Assert.Equal(0, sealings);
        });
        Assert.Equal(1, sealings);
    }

    [Fact]
    public async Task Seal_AgainstOperationsAndSignals_RunsExactlyOnceAndNeverWhileOwned()
    {
        for (var i = 0; i < 1_000; i++)
        {
            var operation = new CountedOperation();
            var sealings = 0;
            var sealedWhileOwned = false;
            void Sealed()
            {
                sealedWhileOwned |= operation.IsOwned;
                Interlocked.Increment(ref sealings);
            }

            using var start = new Barrier(3);
            var using1 = Task.Run(
                async () =>
                {
                    start.SignalAndWait(None);
                    try
                    {
                        while (true)
                        {
                            await operation.StartAsync(None);
                        }
                    }
                    catch (ObjectDisposedException)
                    {
                        // The operation has been sealed.
                    }
                },
                None);
            var signalling = Task.Run(
                () =>
                {
                    start.SignalAndWait(None);
                    while (Volatile.Read(ref sealings) == 0)
                    {
                        operation.Add(1);
                    }
                },
                None);
            start.SignalAndWait(None);
            Thread.SpinWait(i % 100);
            operation.Seal(Sealed);
            await Task.WhenAll(using1, signalling).InTime();
            Assert.Equal(1, sealings);
            Assert.False(sealedWhileOwned);
        }
    }
}
