using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>A server process and one channel to it for all tests of a class.</summary>
/// <typeparam name="TMode">The mode that carries the calls.</typeparam>
public sealed class ServerFixture<TMode> : IServerFixture, IAsyncLifetime
    where TMode : TransportMode, new()
{
    // This is more than the largest message of the suite, and more than gRPC's own default of 4 MiB.
    private const int MaxMessageSize = 80 * 1024 * 1024;

    private readonly TempDirectory _directory = new();
    private readonly TMode _mode = new();
    private ServerHandle? _server;
    private TestChannel? _channel;
    private int _names;

    /// <inheritdoc/>
    public TransportMode Mode => _mode;

    /// <inheritdoc/>
    public ServerHandle Server => _server!;

    /// <inheritdoc/>
    public TestChannel Channel => _channel!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await StartServerAsync("--max-receive-message-size", $"{MaxMessageSize}");
        _channel = _server.CreateChannel(new()
        {
            ConfigureChannel = channel =>
            {
                channel.MaxReceiveMessageSize = MaxMessageSize;
                channel.MaxSendMessageSize = MaxMessageSize;
            },
        });
    }

    /// <inheritdoc/>
    public Task<ServerHandle> StartServerAsync(params string[] arguments) =>
        ServerHandle.StartAsync(_mode, _directory, $"server{Interlocked.Increment(ref _names)}", arguments);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The directory is deleted even if the server has died, which its disposal reports.
        using (_directory)
        {
            _channel?.Dispose();
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }
    }
}
