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
/// Serves the calls of a connection in direct mode. Kestrel goes on to own the connection: it counts it, it runs its
/// middleware before this, and it asks it to close when the host stops.
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

    // Handlers that run, and one for the connection itself.
    private int _running = 1;

    // Written by the thread that receives, read by the heartbeat.
    private long _accepted;

    public ServerConnection(
        SharedMemoryConnectionContext context, SharedMemoryConnection connection, DirectApplication application, SharedBudget budget)
    {
        _context = context;
        _mostHandlers = 2 * connection.MaxCalls;
        Application = application;
        var limits = application.Kestrel.Limits;
        _calls = new CallConnection(
            connection,
            new CallSettings
            {
                MaxBufferedBytes = application.Options.MaxBufferedBytesPerConnection,
                MaxUnconsumedBytes = application.Options.MaxUnconsumedBytesPerCall,
                SharedBudget = budget,

                // Up to twice of what Kestrel's limits say is answered with a status, as in Kestrel.
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

    /// <summary>Counts the calls that wait for a thread of the pool; nothing if nobody wants to know.</summary>
    public QueuedRequests? Queued { get; }

    /// <summary>How many calls have been taken so far.</summary>
    public long AcceptedCalls => Volatile.Read(ref _accepted);

    /// <summary>Whether handlers run.</summary>
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
            // As Kestrel's HTTP tags a connection with what it speaks.
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

        // Handlers of a client that is gone have been told so. They still use what this host gives them. With none left
        // the connection is closed, which tells a client that had not read of the going away yet that nothing of
        // what it sent since has been begun.
        EndHandler();
        await _handlersEnded.Task.ConfigureAwait(false);
        Queued?.Tell();
        TellOfMoreRefusals(_refusals.TakeRest());
    }

    /// <summary>Takes no calls, and says so, so that the client tries again over HTTP/2.</summary>
    public Task RefuseAsync()
    {
        _calls.TakeNone();
        return RunAsync();
    }

    /// <summary>Ends the connection, and the calls on it, at once.</summary>
    public void Abort(ConnectionAbortedException reason) => _context.Abort(reason);

    /// <summary>
    /// Asks for no new calls, and closes when those are done that the client began before it heard of that. Any thread.
    /// </summary>
    public void GoAway()
    {
        if (_timeLimits is null)
        {
            // There would be no end to waiting for the client's answer.
            _calls.TakeNone();
        }
        else
        {
            _calls.GoAway();
        }
    }

    /// <summary>Closes, since all that is left are calls of which the client has everything.</summary>
    public void Drop() => _drained.TrySetResult();

    // A reset frees its call's slot at once, while the handler may run on for as long as it likes. Without this bound a
    // client that begins calls and resets them would have any number of handlers running (CVE-2023-44487). Kestrel
    // allows twice the limit, too.
    bool ICallAcceptor.MayAccept => Volatile.Read(ref _running) <= _mostHandlers;

    CallStream? ICallAcceptor.Accept()
    {
        // First counted, then looked: TakeNone is noted first, and then the count is looked at. Both are full fences,
        // so either this call is refused, or the connection is not taken for drained. Else it could be begun here and,
        // since the connection is closed in order, by its client a second time elsewhere.
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

    /// <summary>A call that is in the table begins to run.</summary>
    public void StartKeepAlive() => _keepAlive?.Start();

    /// <summary>A call is done and may serve again.</summary>
    public void Return(ServerCall call)
    {
        if (_pool.Count < MaxPooledCalls && call.TryRecycle())
        {
            _pool.Enqueue(call);
        }
    }

    /// <summary>
    /// A call was reset, or answered with a status, since its request is none that the application may see. Any thread.
    /// </summary>
    public void LogRefusal(string reason)
    {
        if (_refusals.Next(out var leftOut))
        {
            // It may be the application's own sentence, which may quote what the peer sent.
            reason = PeerText.Clean(reason, PeerText.MaxSentence);

            // A logger is foreign code, and this may be the thread that receives. It is guarded: there, what it throws
            // would end the process.
            ThreadPool.UnsafeQueueUserWorkItem(
                static state =>
                {
                    state.Connection.TellOfMoreRefusals(state.LeftOut);
                    Log.RequestRefused(
                        state.Connection.Application.Logger, state.Connection.ConnectionId, state.Reason);
                },
                (Connection: this, Reason: reason, LeftOut: leftOut),
                preferLocal: false);
        }
    }

    /// <summary>A handler has ended.</summary>
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

    private void TellOfMoreRefusals(long count)
    {
        if (count > 0)
        {
            Log.MoreRequestsRefused(Application.Logger, ConnectionId, count);
        }
    }

    private void EndIfDrained()
    {
        // With the last call or with the last handler, whichever ends later.
        if (_calls.TakesNone && Volatile.Read(ref _running) <= 1 && _calls.ActiveCalls == 0)
        {
            _drained.TrySetResult();
        }
    }
}
