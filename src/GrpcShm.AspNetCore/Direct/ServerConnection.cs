using System.Collections.Concurrent;
using GrpcShm.AspNetCore.Connections;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Serves the calls of a connection in direct mode. Kestrel still owns the connection: it counts it, runs its
/// middleware before this, and asks it to close when the host stops.
/// </summary>
internal sealed class ServerConnection : ICallAcceptor
{
    private const int MaxPooledCalls = 256;

    private readonly SharedMemoryConnectionContext _context;
    private readonly CallConnection _calls;
    private readonly KeepAlive? _keepAlive;
    private readonly ConnectionTimeLimits? _timeLimits;
    private readonly IConnectionHeartbeatFeature? _heartbeat;
    private readonly ConcurrentQueue<ServerCall> _pool = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _handlersEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly int _mostHandlers;
    private readonly RepeatedLines _refusals = new();

    // The number of handlers that run, and one more for the connection itself.
    private int _running = 1;

    // Written by the thread that receives, read by the heartbeat.
    private long _accepted;

    public ServerConnection(
        SharedMemoryConnectionContext context,
        SharedMemoryConnection connection,
        DirectApplication application,
        SharedBudget budget)
    {
        _context = context;
        _mostHandlers = 2 * connection.MaxCalls;
        Application = application;
        var limits = application.Kestrel.Limits;
        _calls = new CallConnection(
            connection,
            new CallSettings
            {
                MaxBufferedBytes = application.Options.BufferedBytesOfAConnection,
                MaxUnconsumedBytes = application.Options.MaxUnconsumedBytesPerCall,
                SharedBudget = budget,

                // A request with up to twice as much as Kestrel's limits allow is answered with a status, as in
                // Kestrel. With more the call is reset.
                MaxFields = (int)Math.Min(int.MaxValue, limits.MaxRequestHeaderCount * 2L),
                MaxFieldBytes = (int)Math.Min(int.MaxValue, limits.MaxRequestHeadersTotalSize * 2L),
            },
            this)
        {
            OnIdle = EndIfDrained,
            ResetException = static (_, message) => RequestFailures.CreateRefused(message),
            PeerResetText = RequestFailures.ResetByClient,
            LossException = RequestFailures.CreateAborted,
        };
        _keepAlive = KeepAlive.Create(
            limits.Http2.KeepAlivePingDelay, limits.Http2.KeepAlivePingTimeout, connection, _calls);
        if (context.Features.Get<IConnectionHeartbeatFeature>() is { } heartbeat)
        {
            _timeLimits = new ConnectionTimeLimits(this, _calls, limits, new HeartbeatClock(application.Time));
            _heartbeat = heartbeat;
            Queued = QueuedRequests.Watch(application.QueuedRequests, this, connection.EndPoint);
        }
    }

    public DirectApplication Application { get; }

    public string ConnectionId => _context.ConnectionId;

    public IFeatureCollection Features => _context.Features;

    /// <summary>Counts the calls that wait for a thread of the pool; nothing if nobody listens.</summary>
    public QueuedRequests? Queued { get; }

    /// <summary>The number of calls that were taken so far.</summary>
    public long AcceptedCalls => Volatile.Read(ref _accepted);

    /// <summary>True while handlers run.</summary>
    public bool HasHandlers => Volatile.Read(ref _running) > 1;

    /// <summary>
    /// Serves until the client has gone, or until the host has asked to close and all calls are done.
    /// </summary>
    public async Task RunAsync()
    {
        var requested =
            _context.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        if (_context.Features.Get<IConnectionMetricsTagsFeature>() is { } metrics)
        {
            // As Kestrel's HTTP tags a connection with its protocol.
            metrics.Tags.Add(new("network.protocol.name", "http"));
            metrics.Tags.Add(new("network.protocol.version", "2"));
        }

        _calls.Start();
        _heartbeat?.OnHeartbeat(static state => ((ConnectionTimeLimits)state).Tick(), _timeLimits!);
        if (Queued is { } queued)
        {
            _heartbeat!.OnHeartbeat(static state => ((QueuedRequests)state).Tell(), queued);
        }

        using (requested.UnsafeRegister(static state => ((ServerConnection)state!).GoAway(), this))
        {
            await Task.WhenAny(_calls.Completion, _drained.Task).ConfigureAwait(false);
        }

        _keepAlive?.Dispose();

        // If the client has gone, its handlers have been told so, but they still use the services of this host. When no
        // handler is left, the connection is closed. If the client has not read of the going away yet, this tells it
        // that none of the calls that it sent since then was begun.
        EndHandler();
        await _handlersEnded.Task.ConfigureAwait(false);
        Queued?.Tell();
        LogMoreRefusals(_refusals.TakeRest());
    }

    /// <summary>Refuses all calls, so that the client tries again over HTTP/2.</summary>
    public Task RefuseAsync()
    {
        _calls.TakeNone();
        return RunAsync();
    }

    /// <summary>Ends the connection, and the calls on it, at once.</summary>
    public void Abort(ConnectionAbortedException reason) => _context.Abort(reason);

    /// <summary>
    /// Asks the client for no new calls, and closes when the calls are done that the client began before it was asked.
    /// Any thread.
    /// </summary>
    public void GoAway()
    {
        if (_timeLimits is null)
        {
            // Without time limits, the wait for the client's answer would have no end.
            _calls.TakeNone();
        }
        else
        {
            _calls.GoAway();
        }
    }

    /// <summary>Closes, since only calls are left of which the client has the whole response.</summary>
    public void Drop() => _drained.TrySetResult();

    // A reset frees the slot of its call at once, while the handler may run on for any time. Without this bound a
    // client that begins calls and resets them could have any number of handlers running (CVE-2023-44487). Kestrel
    // allows twice the limit, too.
    bool ICallAcceptor.MayAccept => Volatile.Read(ref _running) <= _mostHandlers;

    CallStream? ICallAcceptor.Accept()
    {
        // The call is counted, then TakesNone is read; TakesNone is set, then the count is read. Both are full fences,
        // so either this call is refused, or the connection does not count as drained. Else the call could be begun
        // here and, since the connection is closed in order, its client could begin it a second time elsewhere.
        Interlocked.Increment(ref _running);
        if (_calls.TakesNone)
        {
            EndHandler();
            return null;
        }

        var number = _accepted + 1;
        Volatile.Write(ref _accepted, number);
        if (!_pool.TryDequeue(out var call))
        {
            call = Application.CreateCall(this);
        }

        call.Number = number;
        return call.CallStream;
    }

    /// <summary>Starts the keep-alive, since there is a call in the table.</summary>
    public void StartKeepAlive() => _keepAlive?.Start();

    /// <summary>Takes back a call that is done, so that it serves again.</summary>
    public void Return(ServerCall call)
    {
        if (_pool.Count < MaxPooledCalls && call.TryRecycle())
        {
            _pool.Enqueue(call);
        }
    }

    /// <summary>
    /// Logs that a call was reset, or answered with a status, since the application must not see its request. Any
    /// thread.
    /// </summary>
    public void LogRefusal(string reason)
    {
        if (_refusals.Next(out var leftOut))
        {
            // The reason may come from the application, and may quote bytes of the peer.
            reason = PeerText.Clean(reason, PeerText.MaxSentence);

            // A logger is foreign code, which the thread that receives must not run. This logger never throws: on the
            // pool an exception would end the process.
            ThreadPool.UnsafeQueueUserWorkItem(
                static state =>
                {
                    state.Connection.LogMoreRefusals(state.LeftOut);
                    Log.RequestRefused(
                        state.Connection.Application.Logger, state.Connection.ConnectionId, state.Reason);
                },
                (Connection: this, Reason: reason, LeftOut: leftOut),
                preferLocal: false);
        }
    }

    /// <summary>Counts a handler that has ended.</summary>
    public void EndHandler()
    {
        switch (Interlocked.Decrement(ref _running))
        {
            case 0:
                _handlersEnded.TrySetResult();
                break;
            case 1:
                EndIfDrained();
                break;
        }
    }

    private void LogMoreRefusals(long count)
    {
        if (count > 0)
        {
            Log.MoreRequestsRefused(Application.Logger, ConnectionId, count);
        }
    }

    private void EndIfDrained()
    {
        // Called when the last call leaves and when the last handler ends: the later of the two drains.
        if (_calls.TakesNone && Volatile.Read(ref _running) <= 1 && _calls.ActiveCalls == 0)
        {
            _drained.TrySetResult();
        }
    }
}
