using System.Collections.Concurrent;
using GrpcShm.AspNetCore.Connections;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Serves the calls of a connection in direct mode. Kestrel goes on to own the connection: it counts it, it runs its
/// middleware before this, and it asks it to close when the host stops.
/// </summary>
internal sealed class ServerConnection : ICallAcceptor
{
    private const int MaxPooledCalls = 256;

    private readonly SharedMemoryConnectionContext _context;
    private readonly CallConnection _calls;
    private readonly KeepAlive? _keepAlive;
    private readonly ConcurrentQueue<ServerCall> _pool = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _handlersEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Handlers that run, and one for the connection itself.
    private int _running = 1;

    public ServerConnection(
        SharedMemoryConnectionContext context, SharedMemoryConnection connection, DirectApplication application, SharedBudget budget)
    {
        _context = context;
        Application = application;
        _calls = new CallConnection(
            connection,
            new CallSettings
            {
                MaxCalls = application.Options.MaxCallsPerConnection,
                MaxBufferedBytes = application.Options.MaxBufferedBytesPerConnection,
                MaxUnconsumedBytes = application.Options.MaxUnconsumedBytesPerCall,
                SharedBudget = budget,
            },
            this)
        {
            OnIdle = EndIfDrained,
        };
        var limits = application.Kestrel.Limits.Http2;
        _keepAlive = KeepAlive.Create(limits.KeepAlivePingDelay, limits.KeepAlivePingTimeout, connection, _calls);
    }

    public DirectApplication Application { get; }

    public string ConnectionId => _context.ConnectionId;

    public IFeatureCollection Features => _context.Features;

    /// <summary>Serves until the client has gone, or until the host has asked to close and all calls are done.</summary>
    public async Task RunAsync()
    {
        var requested = _context.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        _calls.Start();
        using (requested.UnsafeRegister(static state => ((ServerConnection)state!).GoAway(), this))
        {
            await Task.WhenAny(_calls.Completion, _drained.Task).ConfigureAwait(false);
        }

        _keepAlive?.Dispose();

        // Handlers of a client that is gone have been told so. They still use what this host gives them. With none left
        // the connection is closed, which tells a client that had not read of the going away yet that nothing of
        // what it sent since has been begun.
        HandlerEnded();
        await _handlersEnded.Task.ConfigureAwait(false);
    }

    /// <summary>Takes no calls, and says so, so that the client tries again over HTTP/2.</summary>
    public Task RefuseAsync()
    {
        _calls.GoAway();
        return RunAsync();
    }

    Call ICallAcceptor.Accept()
    {
        Interlocked.Increment(ref _running);
        _keepAlive?.Start();
        return _pool.TryDequeue(out var call) ? call : Application.CreateCall(this);
    }

    /// <summary>A call is done and may serve again.</summary>
    public void Return(ServerCall call)
    {
        if (_pool.Count < MaxPooledCalls && call.TryRecycle())
        {
            _pool.Enqueue(call);
        }
    }

    /// <summary>A handler has ended.</summary>
    public void HandlerEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _handlersEnded.TrySetResult();
        }
    }

    private void GoAway()
    {
        _calls.GoAway();
        EndIfDrained();
    }

    private void EndIfDrained()
    {
        if (_calls.IsGoingAway && _calls.ActiveCalls == 0)
        {
            _drained.TrySetResult();
        }
    }
}
