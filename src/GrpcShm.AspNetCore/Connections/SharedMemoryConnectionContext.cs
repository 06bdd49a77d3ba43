using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Security.Claims;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Connections;

/// <summary>A shared-memory connection as Kestrel sees it.</summary>
internal sealed class SharedMemoryConnectionContext :
    ConnectionContext,
    ISharedMemoryConnectionFeature,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionTransportFeature,
    IConnectionLifetimeFeature,
    IConnectionEndPointFeature,
    IConnectionUserFeature,
    IMemoryPoolFeature
{
    private readonly SharedMemoryConnection _connection;
    private readonly DirectApplication _application;
    private readonly SharedBudget _budget;
    private readonly TransportPipes _pipes;
    private readonly bool _offersHttp2;
    private readonly FeatureCollection _features = new();
    private IDictionary<object, object?>? _items;
    private ClaimsPrincipal? _user;

    public SharedMemoryConnectionContext(
        SharedMemoryConnection connection,
        SharedMemoryTransportOptions options,
        DirectApplication application,
        MemoryPool<byte> memoryPool,
        SharedBudget budget)
    {
        _budget = budget;
        _offersHttp2 = options.Mode != SharedMemoryMode.Direct;
        _application = application;
        _connection = connection;
        connection.CreateResetException = static (message, inner) =>
            inner is null ? new ConnectionResetException(message) : new ConnectionResetException(message, inner);
        connection.CreateAbortedException = static (message, inner) =>
            inner is null ? new ConnectionAbortedException(message) : new ConnectionAbortedException(message, inner);
        _pipes = new TransportPipes(connection, options, memoryPool);
        MemoryPool = memoryPool;
        ConnectionId = connection.Id;
        ConnectionClosed = connection.Closed;
        LocalEndPoint = connection.EndPoint;
        RemoteEndPoint = connection.EndPoint;
        Transport = _pipes;
        _features.Set<ISharedMemoryConnectionFeature>(this);
        _features.Set<IConnectionIdFeature>(this);
        _features.Set<IConnectionItemsFeature>(this);
        _features.Set<IConnectionTransportFeature>(this);
        _features.Set<IConnectionLifetimeFeature>(this);
        _features.Set<IConnectionEndPointFeature>(this);
        _features.Set<IConnectionUserFeature>(this);
        _features.Set<IMemoryPoolFeature>(this);
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features => _features;

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public MemoryPool<byte> MemoryPool { get; }

    public SharedMemoryEndPoint EndPoint => _connection.EndPoint;

    public SharedMemoryPeer Peer => _connection.Peer;

    /// <summary>
    /// The peer as a user of ASP.NET Core, for code that knows nothing of shared memory. Made when it is first asked
    /// for.
    /// </summary>
    ClaimsPrincipal? IConnectionUserFeature.User
    {
        get => _user ??= MakeUser(_connection.Peer);
        set => _user = value;
    }

    /// <summary>
    /// Runs the protocol that the handshake has chosen: calls framed straight into the rings, or HTTP/2. HTTP/2 reads
    /// the ring itself, unless connection middleware has wrapped the transport or has read already.
    /// </summary>
    /// <param name="http2">Kestrel's HTTP/2.</param>
    /// <param name="connection">The connection as the innermost middleware has it.</param>
    public Task RunProtocolAsync(ConnectionDelegate http2, ConnectionContext connection)
    {
        var isUntouched = ReferenceEquals(connection.Transport, _pipes) && !_pipes.IsInputUsed;
        if (_connection.Mode == ConnectionModes.Calls)
        {
            return RunCallsAsync(isUntouched);
        }

        if (isUntouched)
        {
            _pipes.ReadRingDirectly();
        }

        return http2(connection);
    }

    private Task RunCallsAsync(bool isUntouched)
    {
        var calls = new ServerConnection(this, _connection, _application, _budget);
        if (isUntouched)
        {
            return calls.RunAsync();
        }

        // The middleware may be there to see the bytes, or to change them, so it must not be bypassed.
        DirectEndPoints.Forbid(EndPoint);
        LogForbidden();
        return calls.RefuseAsync();
    }

    private void LogForbidden()
    {
        if (_offersHttp2)
        {
            Log.DirectModeForbidden(
                _application.Logger,
                LogLevel.Warning,
                EndPoint,
                "get HTTP/2 instead of direct mode. If this is intended, set Mode to Http2");
        }
        else
        {
            Log.DirectModeForbidden(
                _application.Logger,
                LogLevel.Error,
                EndPoint,
                "are refused, since Mode is Direct. Remove that middleware, or set Mode to Auto or Http2");
        }
    }

    // Kestrel passes null if the connection is closed already.
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        abortReason ??= new ConnectionAbortedException();
        _connection.Abort(new CloseCause(CloseCode.Aborted, abortReason.Message, ByPeer: false, abortReason));
    }

    public override void Abort() =>
        Abort(new ConnectionAbortedException("The connection was aborted by the application."));

    public override ValueTask DisposeAsync()
    {
        _pipes.Abandon();
        _connection.Dispose();
        return base.DisposeAsync();
    }

    private static ClaimsPrincipal MakeUser(SharedMemoryPeer peer)
    {
        var identity = new ClaimsIdentity(
            SharedMemoryPeerDefaults.AuthenticationType, SharedMemoryPeerClaimTypes.UserId, ClaimTypes.Role);
        identity.AddClaim(new Claim(SharedMemoryPeerClaimTypes.UserId, peer.User.Id));
        if (peer.GroupId is { } group)
        {
            identity.AddClaim(new Claim(SharedMemoryPeerClaimTypes.GroupId, group));
        }

        var process = peer.ProcessId.ToString(CultureInfo.InvariantCulture);
        identity.AddClaim(new Claim(SharedMemoryPeerClaimTypes.ProcessId, process));
        return new ClaimsPrincipal(identity);
    }
}
