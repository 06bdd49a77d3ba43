using Grpc.Core;
using Grpc.Health.V1;
using GrpcShm.FaultInjection.Processes;
using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.FaultInjection.Survivors;

/// <summary>
/// A client that the deaths of other processes must not affect. It calls the steady server all the time, in both modes.
/// </summary>
internal sealed class Bystander : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Endpoints _endpoints;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TestChannel[] _channels;
    private readonly Task _calling;

    public Bystander(Endpoints endpoints)
    {
        _endpoints = endpoints;
        _channels = [Connect(SharedMemoryMode.Http2), Connect(SharedMemoryMode.Direct)];
        _calling = CallOnAsync();
    }

    /// <summary>The call that failed, if one has.</summary>
    public string? Failure { get; private set; }

    /// <summary>Makes a call with each open channel and with a new one.</summary>
    /// <exception cref="RpcException">The call failed.</exception>
    public async Task CallAsync(SharedMemoryMode mode)
    {
        foreach (var channel in _channels)
        {
            await CheckAsync(channel);
        }

        using var another = Connect(mode);
        await CheckAsync(another);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _calling;
        Array.ForEach(_channels, channel => channel.Dispose());
        _stopping.Dispose();
    }

    private static async Task CheckAsync(TestChannel channel) =>
        await new Health.HealthClient(channel)
            .CheckAsync(new HealthCheckRequest(), deadline: DateTime.UtcNow + Patience);

    private async Task CallOnAsync()
    {
        await Task.Yield();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                foreach (var channel in _channels)
                {
                    await CheckAsync(channel);
                }
            }
            catch (RpcException exception)
            {
                Failure ??= exception.Status.ToString();
            }

            await Task.Delay(Pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private TestChannel Connect(SharedMemoryMode mode) =>
        ChannelFactory.CreateChannel(_endpoints.Steady, _endpoints.Setup(mode));
}
