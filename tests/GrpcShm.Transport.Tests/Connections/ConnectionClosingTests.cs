using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class ConnectionClosingTests : IAsyncLifetime
{
    private ConnectionPair _pair = null!;

    private static CancellationToken None => CancellationToken.None;

    public async ValueTask InitializeAsync() => _pair = await ConnectionPair.CreateAsync();

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task Abort_Twice_FirstCauseWinsAndBothSidesSeeIt()
    {
        _pair.Client.Abort(new CloseCause(CloseCode.Aborted, "the first cause", ByPeer: false));
        _pair.Client.Abort(new CloseCause(CloseCode.Protocol, "a later cause", ByPeer: false));
        await ClosedAsync(_pair.Server);
        _pair.Server.Abort(new CloseCause(CloseCode.Aborted, "too late as well", ByPeer: false));
        _pair.Client.Dispose();
        _pair.Server.Dispose();

        Assert.Equal("the first cause", _pair.Client.Cause?.Reason);
        Assert.Equal(new CloseCause(CloseCode.Aborted, "the first cause", ByPeer: true), _pair.Server.Cause);
        await _pair.ClientLog.WaitForAsync("Disconnected", "(Aborted, by this side): the first cause");
        await _pair.ServerLog.WaitForAsync("Disconnected", "(Aborted, by peer): the first cause");
    }

    [Fact]
    public async Task Abort_OperationsArePending_AllOfThemEndWithTheReason()
    {
        await using var client = new RingStream(_pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(_pair.Server, FileAccess.ReadWrite);
        var clientRead = client.ReadAsync(new byte[1], None).AsTask();
        var serverRead = server.ReadAsync(new byte[1], None).AsTask();

        _pair.Client.Abort(new CloseCause(CloseCode.Aborted, "enough", ByPeer: false));

        Assert.Equal("enough", (await Assert.ThrowsAnyAsync<IOException>(() => clientRead.InTime())).Message);
        Assert.Equal("enough", (await Assert.ThrowsAnyAsync<IOException>(() => serverRead.InTime())).Message);
        Assert.Equal(
            "enough", (await Assert.ThrowsAnyAsync<IOException>(() => server.WritePatternAsync(0, 1))).Message);
    }

    [Fact]
    public async Task Abort_WithAnException_IsWithinWhatOperationsThrow()
    {
        await using var client = new RingStream(_pair.Client, FileAccess.ReadWrite);
        var read = client.ReadAsync(new byte[1], None).AsTask();
        var exception = new InvalidDataException("own");
        _pair.Client.Abort(new CloseCause(CloseCode.Aborted, "own", ByPeer: false, exception));
        Assert.Same(exception, (await Assert.ThrowsAsync<IOException>(() => read.InTime())).InnerException);
    }

    [Fact]
    public async Task Abort_BytesWerePublishedBefore_AreStillReadByThePeer()
    {
        await using var client = new RingStream(_pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(_pair.Server, FileAccess.ReadWrite);
        await client.WritePatternAsync(0, 4000);

        _pair.Client.Abort(new CloseCause(CloseCode.Aborted, "enough", ByPeer: false));

        await TimeLimit.UntilAsync(() => _pair.Server.PeerIsGone, () => "The peer's end was not noticed.");
        await server.ReadPatternAsync(0, 4000);
        await Assert.ThrowsAnyAsync<IOException>(() => server.ReadAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Abort_AtTheSameMomentOnManyThreads_HasOneCauseAndNobodyFails()
    {
        var actions = Enumerable.Range(0, 8).Select(i => (Action)(() =>
        {
            (i % 2 == 0 ? _pair.Client : _pair.Server)
                .Abort(new CloseCause(CloseCode.Aborted, $"cause {i}", ByPeer: false));
            (i % 4 < 2 ? _pair.Client : _pair.Server).Dispose();
        }));
        await TimeLimit.OnThreads([.. actions]);
        Assert.NotNull(_pair.Client.Cause);
        Assert.NotNull(_pair.Server.Cause);
    }

    [Fact]
    public async Task Closed_CallbackThrows_HarmsNobody()
    {
        var called = new TaskCompletionSource();
        await using var registration = _pair.Server.Closed.Register(() =>
        {
            called.SetResult();
            throw new InvalidDataException("thrown by a callback");
        });
        _pair.Client.Dispose();
        await called.Task.InTime();

        // An exception that nobody handles on the thread pool ends the process.
        await _pair.ServerLog.WaitForAsync("CallbackFailed", _pair.Server.Id);
    }

    [Fact]
    public async Task Dispose_WhileTheReactorLooksAtTheRings_DoesNotEndTheReactor()
    {
        await using var client = new RingStream(_pair.Client, FileAccess.ReadWrite);
        _ = client.ReadAsync(new byte[1], None).AsTask();
        await TimeLimit.UntilAsync(() => _pair.Client.BeginSpin(), () => "The read does not wait.");

        // A peer that waits for space, or that has left its flag set.
        _pair.Server.OutboundBytes.AnnounceWait();
        _pair.Client.Dispose();

        _pair.Client.EndSpin();
    }

    [Fact]
    public async Task Dispose_Graceful_IsLoggedSoOnBothSides()
    {
        _pair.Client.Dispose();
        await ClosedAsync(_pair.Server);
        _pair.Server.Dispose();
        await _pair.ClientLog.WaitForAsync("Disconnected", "(Graceful, by this side)");
        await _pair.ServerLog.WaitForAsync("Disconnected", "(Graceful, by peer)");
        _pair.Client.Dispose();
    }

    private static async Task ClosedAsync(SharedMemoryConnection connection)
    {
        var closed = new TaskCompletionSource();
        await using var registration = connection.Closed.Register(() => closed.TrySetResult());
        await closed.Task.InTime();
    }
}
