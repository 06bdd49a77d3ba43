using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Testing;

/// <summary>An endpoint in a directory of its own, with its log.</summary>
internal sealed class TestEndPoint : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private SharedMemoryListener? _listener;

    public TestEndPoint()
    {
        EndPoint = new SharedMemoryEndPoint($"test-{Guid.NewGuid():N}");
        Settings = new ListenerSettings
        {
            Rendezvous = new RendezvousSettings(_directory.Path),
            RingSize = RingSizes.Smallest,
            HandshakeTimeout = TimeLimit.Value,
        };
        ConnectSettings = new ConnectSettings { Directory = _directory.Path, ConnectTimeout = TimeLimit.Value };
    }

    public SharedMemoryEndPoint EndPoint { get; }

    public string Directory => _directory.Path;

    public string SocketPath => _directory.File(EndPoint.Name + ".sock");

    public string LockPath => SocketPath + ".lock";

    public ListenerSettings Settings { get; set; }

    public ConnectSettings ConnectSettings { get; set; }

    public LogCollector ServerLog { get; } = new();

    public LogCollector ClientLog { get; } = new();

    public SharedMemoryListener Listener => _listener ?? throw new InvalidOperationException("Listen first.");

    public SharedMemoryListener Listen() => _listener = CreateListener();

    public SharedMemoryListener CreateListener() => new(EndPoint, Settings, TransportMetrics.For(null), ServerLog);

    public Task<SharedMemoryConnection> ConnectAsync() =>
        new SharedMemoryConnector(EndPoint, ConnectSettings, TransportMetrics.For(null), ClientLog)
            .ConnectAsync(TestContext.Current.CancellationToken)
            .InTime();

    public async Task<SharedMemoryConnection> AcceptAsync()
    {
        var connection = await Listener.AcceptAsync(TestContext.Current.CancellationToken).InTime();
        Assert.NotNull(connection);
        return connection;
    }

    /// <summary>
    /// Waits until the listener has made the memory for its next client, since tests that count resources count it,
    /// too.
    /// </summary>
    public Task SpareIsReadyAsync() =>
        TimeLimit.UntilAsync(() => Listener.HasSpare, () => "The listener makes no spare.");

    /// <summary>Connects, and accepts.</summary>
    public async Task<(SharedMemoryConnection Client, SharedMemoryConnection Server)> ConnectPairAsync()
    {
        var client = await ConnectAsync();
        return (client, await AcceptAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await _listener.DisposeAsync().InTime();
        }

        _directory.Dispose();
    }
}
