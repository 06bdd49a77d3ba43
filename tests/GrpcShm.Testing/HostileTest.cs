using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Testing;

/// <summary>
/// A listener under attack, with a well-behaved connection beside it. After each test that connection still works, and
/// the process has as many descriptors as before.
/// </summary>
public abstract class HostileTest : IAsyncLifetime
{
    private RingStream _client = null!;
    private RingStream _server = null!;
    private int _descriptors;

    internal TestEndPoint EndPoint { get; } = new();

    protected static CancellationToken None => CancellationToken.None;

    public virtual async ValueTask InitializeAsync()
    {
        EndPoint.Settings = Configure(EndPoint.Settings);
        EndPoint.Listen();
        var (client, server) = await EndPoint.ConnectPairAsync();
        _client = new RingStream(client, FileAccess.ReadWrite);
        _server = new RingStream(server, FileAccess.ReadWrite);

        await StreamBytes.EchoAsync(_client, _server);
        await EndPoint.SpareIsReadyAsync();
        _descriptors = Descriptors.Count;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StreamBytes.EchoAsync(_client, _server);
        await TimeLimit.UntilAsync(
            () => Descriptors.Count <= _descriptors,
            () => $"There are more than {_descriptors} descriptors:\n{Descriptors.List()}");
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        await EndPoint.DisposeAsync();
    }

    private protected virtual ListenerSettings Configure(ListenerSettings settings) => settings;
}
