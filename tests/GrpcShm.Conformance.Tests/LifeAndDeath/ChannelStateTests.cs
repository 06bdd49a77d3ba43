using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Contracts;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>The state of a channel whose server is another process.</summary>
public sealed class ChannelStateTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task State_ServerIsKilledAndComesBack_FollowsIt(SharedMemoryMode mode)
    {
        await using var first = await StartServerAsync(mode);
        var options = new SharedMemoryClientOptions
        {
            RuntimeDirectory = _directory.Path,
            ConnectTimeout = TimeLimit.Value,
            Mode = mode,
        };
        using var channel = SharedMemoryChannel.ForAddress(first.Address.ToString(), options);
        await channel.ConnectAsync(TestToken).InTime();
        await CallAsync(channel);
        var change = channel.WaitForStateChangedAsync(ConnectivityState.Ready, TestToken);
        Assert.False(change.IsCompleted);

        await first.Process.KillAsync();

        await change.InTime();
        Assert.Equal(ConnectivityState.Idle, channel.State);
        var connecting = channel.ConnectAsync(TestToken);
        while (channel.State is var state && state != ConnectivityState.TransientFailure)
        {
            await channel.WaitForStateChangedAsync(state, TestToken).InTime();
        }

        await using var second = await StartServerAsync(mode);
        await connecting.InTime();
        Assert.Equal(ConnectivityState.Ready, channel.State);
        await CallAsync(channel);
    }

    public void Dispose() => _directory.Dispose();

    private static Task<Empty> CallAsync(SharedMemoryChannel channel) =>
        new TestService.TestServiceClient(channel)
            .NothingAsync(new Empty(), cancellationToken: TestToken).ResponseAsync.InTime();

    private Task<ServerHandle> StartServerAsync(SharedMemoryMode mode) =>
        ServerHandle.StartAsync(
            mode == SharedMemoryMode.Direct ? new SharedMemoryDirectMode() : new SharedMemoryHttp2Mode(),
            _directory,
            "server");
}
