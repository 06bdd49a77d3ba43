using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// A call in direct mode as ASP.NET Core sees it: a request with its features. Pooled: it serves its next call when the
/// handler has ended and the call has left its connection.
/// </summary>
internal abstract partial class ServerCall : ICallStreamOwner
{
    private static readonly RunProfile Unknown = new(RunMode.ThreadPool);

    private readonly StartWork _start;

    // Who still uses it: the handler, the connection, and a cancellation on its way.
    private int _users = 2;
    private bool _isStarted;

    protected ServerCall(ServerConnection connection)
    {
        CallStream = new CallStream(this, Unknown);
        Connection = connection;
        _start = new StartWork(this);
        _responseBody = new ResponseBody(this);
        _responseHeaders = new ResponseHeaders(connection.Application.Kestrel.ResponseHeaderEncodingSelector, areTrailers: false);
        MaxRequestBodySize = Limits.MaxRequestBodySize;
    }

    /// <summary>What carries it.</summary>
    public CallStream CallStream { get; }

    /// <summary>The connection that it came on.</summary>
    protected ServerConnection Connection { get; }

    /// <summary>
    /// Which call of its connection it is, from 1 on. Its id cannot name it: the peer chooses that, and may use it again. Written by
    /// the thread that receives before the call is in the connection's table, and read by those who got it there, or keep it in use.
    /// </summary>
    public long Number { get; set; }

    /// <summary>Makes it as new.</summary>
    /// <returns>Whether it may serve again. Not if its handler has left a read or a write behind.</returns>
    public bool TryRecycle()
    {
        if (!CallStream.IsUnused || Volatile.Read(ref _startingWaits) > 0)
        {
            return false;
        }

        ReuseRequest();
        ReuseResponse();
        ReuseFeatures();
        CallStream.Reuse();
        CallStream.Profile = Unknown;
        _users = 2;
        _isStarted = false;
        return true;
    }

    public void OnReceived(bool hasEnded)
    {
        if (!_isStarted)
        {
            _isStarted = true;

            // It is in the connection's table by now: earlier, a tick that came just then would see no calls, and stop.
            Connection.CallBegun();
            _start.Schedule();
        }
    }

    public void OnFailed(CallError error, Exception exception, bool byPeer)
    {
        if (_isStarted)
        {
            AbortRequest(exception, byPeer);
        }
        else
        {
            // Nobody has seen it. The handler's part is over before it began.
            _isStarted = true;
            CallStream.FailBodies(exception, byPeer);
            CallStream.Input.Complete();
            HandlerEnded();
        }
    }

    public void OnLeft(bool byReceiver) => LetGo();

    /// <summary>Runs the application. Never throws.</summary>
    protected abstract Task RunAsync();

    /// <summary>Tells who listens to Kestrel that the application is about to run.</summary>
    /// <returns>Whether anybody does, who then has to hear of the end.</returns>
    protected bool TellStarted()
    {
        if (!KestrelEvents.AreHeard)
        {
            return false;
        }

        KestrelEvents.RequestStarted(Connection.ConnectionId, TraceIdentifier, _path, _method);
        return true;
    }

    /// <summary>Tells who listens to Kestrel that the application has run.</summary>
    protected void TellStopped() => KestrelEvents.RequestStopped(Connection.ConnectionId, TraceIdentifier, _path, _method);

    /// <summary>Ends both bodies and the handler's part, whatever has been thrown before: the client and the connection wait for that.</summary>
    protected void Leave()
    {
        try
        {
            if (!_hasEnded && !IsRequestAborted)
            {
                // Something that should not throw has. Whoever waits for the rest of the response has to learn that none will come.
                BreakOff();
            }

            // Where the call was reset, nothing goes, but its writer is done.
            CallStream.EndOutput();

            // What the handler has not read is of no interest, and nobody will read it.
            CallStream.Discard();
            CallStream.Input.Complete();
        }
        finally
        {
            HandlerEnded();
        }
    }

    /// <summary>Ends the handler's part.</summary>
    private void HandlerEnded()
    {
        // First return, then tell: with the last handler the connection ends.
        var connection = Connection;
        LetGo();
        connection.HandlerEnded();
    }

    private bool TryUse()
    {
        var users = Volatile.Read(ref _users);
        while (users > 0)
        {
            var seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
            {
                return true;
            }

            users = seen;
        }

        return false;
    }

    private void LetGo()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            Connection.Return(this);
        }
    }

    private sealed class StartWork(ServerCall call) : ReactorWork
    {
        // Written by who hands it to the pool, before that; read where it runs.
        private bool _isQueued;

        public override RunProfile Profile => call.CallStream.Profile;

        public override void Run()
        {
            if (_isQueued)
            {
                _isQueued = false;
                call.Connection.Queued!.Leave();
            }

            _ = call.RunAsync();
        }

        protected override void OnQueued()
        {
            if (call.Connection.Queued is { } queued)
            {
                _isQueued = true;
                queued.Enter();
            }
        }
    }
}
