using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Rendezvous;
using GrpcShm.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The transport's own connection. A subclass decides how its ends wait.</summary>
internal abstract class RingRawTransport : IRawTransport
{
    public abstract string Name { get; }

    public abstract string Description { get; }

    public IRawChannel Accept(string address, Action listening) => CreateChannel(AcceptConnection(address, listening));

    public IRawChannel Connect(string address) => CreateChannel(ConnectConnection(address));

    /// <summary>Listens, and accepts the first client.</summary>
    public static SharedMemoryConnection AcceptConnection(string address, Action listening)
    {
        var rendezvous = new RendezvousSettings(null);
        var listener = new SharedMemoryListener(
            new SharedMemoryEndPoint(address), new ListenerSettings { Rendezvous = rendezvous },
            TransportMetrics.For(null), NullLogger.Instance);
        listening();
        var connection = listener.AcceptAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult()!;
        listener.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return connection;
    }

    public static SharedMemoryConnection ConnectConnection(string address) => new SharedMemoryConnector(
        new SharedMemoryEndPoint(address), new ConnectSettings(), TransportMetrics.For(null), NullLogger.Instance)
        .ConnectAsync(CancellationToken.None).GetAwaiter().GetResult();

    protected abstract IRawChannel CreateChannel(SharedMemoryConnection connection);
}
