using Grpc.Core;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>The state of a channel follows its connections.</summary>
public sealed class ChannelStateTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task State_OfANewChannel_IsIdleUntilItConnects()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var mayConnect = new ManualResetEventSlim();
        server.Options.AuthorizeServer = _ => mayConnect.Wait(TimeLimit.Value, TestToken);
        using var channel = CreateChannel(server);
        Assert.Equal(ConnectivityState.Idle, channel.State);
        var change = channel.WaitForStateChangedAsync(ConnectivityState.Idle, TestToken);
        Assert.False(change.IsCompleted);

        var connecting = channel.ConnectAsync(TestToken);

        await change.InTime();
        Assert.Equal(ConnectivityState.Connecting, channel.State);
        change = channel.WaitForStateChangedAsync(ConnectivityState.Connecting, TestToken);
        Assert.False(change.IsCompleted);
        mayConnect.Set();
        await connecting.InTime();
        await change.InTime();
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task State_AfterACall_IsReady()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = CreateChannel(server);

        await channel.CreateCallInvoker().CallAsync([1]);

        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task State_WhileNoServerListens_IsTransientFailureUntilOneDoes()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);
        var connecting = channel.ConnectAsync(TestToken);

        await channel.UntilAsync(ConnectivityState.TransientFailure);

        Assert.False(connecting.IsCompleted);
        server.Listen();
        await connecting.InTime();
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task State_AfterACallThatFoundNoServer_IsTransientFailure()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var channel = CreateChannel(server);

        var failure = await Assert.ThrowsAsync<RpcException>(() => channel.CreateCallInvoker().CallAsync([1]));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal(ConnectivityState.TransientFailure, channel.State);
    }

    [Fact]
    public async Task State_ServerIsRefused_IsTransientFailure()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.AuthorizeServer = static _ => false;
        using var channel = CreateChannel(server);

        await Assert.ThrowsAsync<HttpRequestException>(() => channel.ConnectAsync(TestToken).InTime());

        Assert.Equal(ConnectivityState.TransientFailure, channel.State);
    }

    [Fact]
    public async Task State_ConnectionIsLost_IsIdleAndReadyAgainWithTheNextCall()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();
        var connection = await server.AcceptedAsync();
        var change = channel.WaitForStateChangedAsync(ConnectivityState.Ready, TestToken);

        await connection.DisposeAsync();

        await change.InTime();
        Assert.Equal(ConnectivityState.Idle, channel.State);
        await channel.CreateCallInvoker().CallAsync([1]);
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task ConnectAsync_GivenUp_LeavesTheChannelIdle()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var mayConnect = new ManualResetEventSlim();
        server.Options.AuthorizeServer = _ => mayConnect.Wait(TimeLimit.Value, TestToken);
        using var channel = CreateChannel(server);
        using var source = new CancellationTokenSource();
        var connecting = channel.ConnectAsync(source.Token);
        await channel.UntilAsync(ConnectivityState.Connecting);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.InTime());
        Assert.Equal(ConnectivityState.Idle, channel.State);
        mayConnect.Set();
        await channel.ConnectAsync(TestToken).InTime();
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_OfAChannel_ShutsItDown(bool isConnected)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        var channel = isConnected ? await server.CreateNativeChannelAsync() : CreateChannel(server);
        var change = channel.WaitForStateChangedAsync(channel.State, TestToken);

        channel.Dispose();

        Assert.Equal(ConnectivityState.Shutdown, channel.State);
        await change.InTime();
        await channel.WaitForStateChangedAsync(ConnectivityState.Ready, TestToken).InTime();
        Assert.False(channel.WaitForStateChangedAsync(ConnectivityState.Shutdown, TestToken).IsCompleted);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => channel.ConnectAsync(TestToken));
    }

    [Fact]
    public async Task Dispose_WhileTheChannelConnects_EndsTheWait()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        var channel = CreateChannel(server);
        var connecting = channel.ConnectAsync(TestToken);
        await channel.UntilAsync(ConnectivityState.TransientFailure);

        channel.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => connecting.InTime());
        Assert.Equal(ConnectivityState.Shutdown, channel.State);
    }

    [Fact]
    public async Task WaitForStateChangedAsync_TokenFires_EndsThisWaitAlone()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = CreateChannel(server);
        using var source = new CancellationTokenSource();
        var other = channel.WaitForStateChangedAsync(ConnectivityState.Idle, TestToken);
        var wait = channel.WaitForStateChangedAsync(ConnectivityState.Idle, source.Token);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.InTime());
        Assert.False(other.IsCompleted);
        await channel.ConnectAsync(TestToken).InTime();
        await other.InTime();
    }

    [Fact]
    public async Task State_OfAChannelWithTls_IsRefused()
    {
        using var channel = SharedMemoryChannel.ForAddress("https://shm:/orders");

        Assert.Throws<InvalidOperationException>(() => channel.State);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => channel.ConnectAsync(TestToken));
        Assert.Contains("Make the channel with an address without https", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WaitForChange_StateComesBackAtOnce_Ends()
    {
        var connectivity = new ChannelConnectivity();
        connectivity.AddConnection();
        var wait = connectivity.WaitForChangeAsync(ConnectivityState.Ready, TestToken);

        connectivity.RemoveConnection();
        connectivity.AddConnection();

        await wait.InTime();
        Assert.Equal(ConnectivityState.Ready, connectivity.State);
    }

    [Fact]
    public async Task State_OneOfTwoConnectionsIsLost_StaysReady()
    {
        var connectivity = new ChannelConnectivity();
        connectivity.AddConnection();
        connectivity.AddConnection();
        var wait = connectivity.WaitForChangeAsync(ConnectivityState.Ready, TestToken);

        connectivity.RemoveConnection();

        Assert.Equal(ConnectivityState.Ready, connectivity.State);
        Assert.False(wait.IsCompleted);
        connectivity.RemoveConnection();
        await wait.InTime();
        Assert.Equal(ConnectivityState.Idle, connectivity.State);
    }

    [Fact]
    public void State_AttemptFailsBesideAConnection_IsReadyAndThenTransientFailure()
    {
        var connectivity = new ChannelConnectivity();
        connectivity.AddConnection();

        connectivity.BeginAttempt();
        Assert.Equal(ConnectivityState.Ready, connectivity.State);
        connectivity.EndAttempt(hasFailed: true);
        Assert.Equal(ConnectivityState.Ready, connectivity.State);
        connectivity.RemoveConnection();

        Assert.Equal(ConnectivityState.TransientFailure, connectivity.State);
    }

    private static SharedMemoryChannel CreateChannel(FakeServer server) =>
        SharedMemoryChannel.ForAddress(server.EndPoint.ToString(), server.Options);
}
