using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>The table of a channel's connections, on its own: who shares an attempt, and what becomes of it.</summary>
public sealed class ConnectionTableTests : IDisposable
{
    private readonly ConnectionTable<FakeConnection> _table = new(new ChannelConnectivity());

    public void Dispose() => _table.Dispose();

    [Fact]
    public void TryJoin_Twice_SharesOneAttempt()
    {
        Assert.True(_table.TryJoin(out var first, out var isFirstNew));
        Assert.True(_table.TryJoin(out var second, out var isSecondNew));

        Assert.Same(first, second);
        Assert.True(isFirstNew);
        Assert.False(isSecondNew);
        Assert.Equal(2, first.Waiters);
    }

    [Fact]
    public void TryJoin_AnotherAttemptHasFailedSince_TakesThatOne()
    {
        var first = Fail(after: null);
        var second = Fail(after: first);

        Assert.True(_table.TryJoin(out var joined, out var isNew, after: first));

        Assert.Same(second, joined);
        Assert.False(isNew);
        _table.Leave(joined);
        Assert.False(joined.IsCancellationRequested);
        Assert.NotSame(second, Fail(after: second));
    }

    [Fact]
    public void TryJoin_ByACallThatDoesNotWait_BeginsAnAttemptOfItsOwn()
    {
        var failed = Fail(after: null);

        Assert.True(_table.TryJoin(out var joined, out var isNew));

        Assert.NotSame(failed, joined);
        Assert.True(isNew);
    }

    [Fact]
    public void PauseAfter_SeveralWait_IsTheSameForAll()
    {
        var first = Fail(after: null);
        var pause = _table.PauseAfter(first);

        Assert.Same(pause, _table.PauseAfter(first));
        Assert.NotSame(pause, _table.PauseAfter(Fail(after: first)));
    }

    [Fact]
    public void TryJoin_ThereIsAConnection_HasNothingToWaitFor()
    {
        AddConnection();

        Assert.False(_table.TryJoin(out var attempt, out var isNew));

        Assert.Null(attempt);
        Assert.False(isNew);
        Assert.False(_table.IsDisposed);
    }

    [Fact]
    public void Leave_OthersWait_LetsTheAttemptGoOn()
    {
        _table.TryJoin(out var attempt, out _);
        _table.TryJoin(out _, out _);

        _table.Leave(attempt!);

        Assert.True(_table.IsWanted(attempt!));
        Assert.False(attempt!.IsCancellationRequested);
    }

    [Fact]
    public void Leave_NobodyElseWaits_CancelsTheAttempt()
    {
        _table.TryJoin(out var attempt, out _);

        _table.Leave(attempt!);

        Assert.False(_table.IsWanted(attempt!));
        Assert.True(attempt!.IsCancellationRequested);
        Assert.True(_table.TryJoin(out var next, out var isNew));
        Assert.True(isNew);
        Assert.NotSame(attempt, next);
    }

    [Fact]
    public void Leave_TheAttemptHasEnded_CancelsNothing()
    {
        _table.TryJoin(out var attempt, out _);
        _table.End(attempt!);

        _table.Leave(attempt!);

        Assert.False(attempt!.IsCancellationRequested);
    }

    [Fact]
    public void TryAdd_Wanted_IsFound()
    {
        var first = AddConnection();
        var before = _table.Live;

        var second = AddExtra();

        Assert.Equal([first, second], _table.Live);
        Assert.Equal([first], before);
        Assert.False(first.IsRetired);
    }

    [Fact]
    public void TryAdd_NobodyWantsItAnyMore_RetiresIt()
    {
        _table.TryJoin(out var attempt, out _);
        _table.Leave(attempt!);
        var connection = new FakeConnection(_table);

        Assert.False(_table.TryAdd(attempt!, connection));

        Assert.Empty(_table.Live);
        Assert.True(connection.IsRetired);
    }

    [Fact]
    public void TryAdd_AnotherAttemptIsUnderWay_RetiresIt()
    {
        _table.TryJoin(out var given, out _);
        _table.Leave(given!);
        _table.TryJoin(out var next, out _);
        var connection = new FakeConnection(_table);

        Assert.False(_table.TryAdd(given!, connection));

        Assert.True(connection.IsRetired);
        Assert.True(_table.IsWanted(next!));
    }

    [Fact]
    public void TryAdd_HasRetiredMeanwhile_IsNotFound()
    {
        _table.TryJoin(out var attempt, out _);
        var connection = new FakeConnection(_table);
        connection.Retire();

        Assert.False(_table.TryAdd(attempt!, connection));

        Assert.Empty(_table.Live);
    }

    [Fact]
    public async Task TryAdd_WhileItRetires_NeverStays()
    {
        for (var round = 0; round < 500; round++)
        {
            using var table = new ConnectionTable<FakeConnection>(new ChannelConnectivity());
            table.TryJoin(out var attempt, out _);
            var connection = new FakeConnection(table);
            using var both = new Barrier(2);
            var retiring = Task.Run(
                () =>
                {
                    both.SignalAndWait(TestContext.Current.CancellationToken);
                    connection.Retire();
                },
                TestContext.Current.CancellationToken);
            both.SignalAndWait(TestContext.Current.CancellationToken);
            table.TryAdd(attempt!, connection);
            await retiring.InTime();

            Assert.Empty(table.Live);
        }
    }

    [Fact]
    public void BeginExtra_Needed_IsAskedOfThoseThatThereAre()
    {
        var connection = AddConnection();
        FakeConnection[]? asked = null;

        var attempt = _table.BeginExtra(live =>
        {
            asked = live;
            return true;
        });

        Assert.NotNull(attempt);
        Assert.True(attempt.IsExtra);
        Assert.Equal([connection], asked!);
    }

    [Fact]
    public void BeginExtra_NotNeeded_BeginsNothing()
    {
        AddConnection();

        Assert.Null(_table.BeginExtra(static _ => false));
        Assert.NotNull(_table.BeginExtra(static _ => true));
    }

    [Fact]
    public void BeginExtra_OneIsUnderWay_BeginsNoSecond()
    {
        AddConnection();
        var attempt = _table.BeginExtra(static _ => true);

        Assert.Null(_table.BeginExtra(static _ => true));
        _table.End(attempt!);
        Assert.NotNull(_table.BeginExtra(static _ => true));
    }

    [Fact]
    public void Leave_OfAnExtraAttempt_LetsItGoOnForWhoeverBeganIt()
    {
        var connection = AddConnection();
        var attempt = _table.BeginExtra(static _ => true);
        _table.Remove(connection);

        Assert.True(_table.TryJoin(out var joined, out _));
        Assert.Same(attempt, joined);
        _table.Leave(joined);

        Assert.True(_table.IsWanted(attempt!));
        Assert.False(attempt!.IsCancellationRequested);
    }

    [Fact]
    public void Remove_OneThatIsNotThere_ChangesNothing()
    {
        var connection = AddConnection();
        var before = _table.Live;

        _table.Remove(new FakeConnection(_table));

        Assert.Same(before, _table.Live);
        _table.Remove(connection);
        Assert.Empty(_table.Live);
    }

    [Fact]
    public void Clear_WithAnAttempt_EndsAllAndLetsOthersBegin()
    {
        var connection = AddConnection();
        var attempt = _table.BeginExtra(static _ => true);

        _table.Clear();

        Assert.True(connection.IsRetired);
        Assert.True(attempt!.IsCancellationRequested);
        Assert.Empty(_table.Live);
        Assert.False(_table.IsDisposed);
        Assert.True(_table.TryJoin(out _, out var isNew));
        Assert.True(isNew);
    }

    [Fact]
    public void Dispose_WithAnAttempt_EndsAllForGood()
    {
        var connection = AddConnection();
        var attempt = _table.BeginExtra(static _ => true);

        _table.Dispose();

        Assert.True(_table.IsDisposed);
        Assert.True(connection.IsRetired);
        Assert.True(attempt!.IsCancellationRequested);
        Assert.False(_table.TryJoin(out _, out _));
        Assert.Null(_table.BeginExtra(static _ => true));
        var late = new FakeConnection(_table);
        Assert.False(_table.TryAdd(attempt, late));
        Assert.True(late.IsRetired);
    }

    [Fact]
    public async Task End_OfAnAttempt_TellsAllWhoWait()
    {
        using var made = new ConnectAttempt();
        using var failed = new ConnectAttempt();
        using var given = new ConnectAttempt();
        var failure = new IOException("no server");
        await given.CancelAsync();

        made.End(failure: null, new Failures());
        failed.End(failure, new Failures());
        given.End(new OperationCanceledException(given.Token), new Failures());

        await made.Task.InTime();
        Assert.Same(failure, await Assert.ThrowsAsync<IOException>(() => failed.Task.InTime()));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => given.Task.InTime());
    }

    private ConnectAttempt Fail(ConnectAttempt? after)
    {
        Assert.True(_table.TryJoin(out var attempt, out var isNew, after));
        Assert.True(isNew);
        _table.End(attempt, hasFailed: true);
        _table.Leave(attempt);
        return attempt;
    }

    private FakeConnection AddConnection()
    {
        Assert.True(_table.TryJoin(out var attempt, out _));
        return Add(attempt);
    }

    private FakeConnection AddExtra()
    {
        var attempt = _table.BeginExtra(static _ => true);
        Assert.NotNull(attempt);
        return Add(attempt);
    }

    private FakeConnection Add(ConnectAttempt attempt)
    {
        var connection = new FakeConnection(_table);
        Assert.True(_table.TryAdd(attempt, connection));
        _table.End(attempt);
        return connection;
    }

    /// <summary>A connection that retires as real ones do: it says so, and then removes itself.</summary>
    private sealed class FakeConnection(ConnectionTable<FakeConnection> table) : IRetirable
    {
        private volatile bool _isRetired;

        public bool IsRetired => _isRetired;

        public void Retire()
        {
            _isRetired = true;
            table.Remove(this);
        }
    }

    private sealed class Failures : ICallFailures
    {
        public Exception CreateReset(CallError error, string message) => throw new NotSupportedException();

        public Exception CreateConnecting(IPendingCall pending, Exception cause) => throw new NotSupportedException();

        public Exception CreateDisposed() => new ObjectDisposedException("the channel");
    }
}
