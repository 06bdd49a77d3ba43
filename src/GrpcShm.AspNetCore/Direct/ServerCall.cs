using System.Collections;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Http.Features;
using KestrelServerLimits = Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerLimits;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// A call in direct mode as ASP.NET Core sees it: a request with its features. Pooled: it serves its next call when the
/// handler has ended and the call has left its connection.
/// </summary>
/// <remarks>
/// What comes for the call goes to the parts of the request (<see cref="RequestBlocks"/>, <see cref="ServerRequest"/>,
/// <see cref="RequestLifetime"/>, <see cref="RequestTimeLimits"/>), what the handler answers to those of the response
/// (<see cref="ServerResponse"/>, <see cref="ResponseProgress"/>). Here is who uses the call still, and how it begins
/// and ends.
/// </remarks>
internal abstract class ServerCall : ICallStreamOwner, IFeatureCollection
{
    private static readonly RunProfile Unknown = new(RunMode.ThreadPool);

    private readonly RequestBlocks _blocks;
    private readonly RequestTimeLimits _timeLimits;
    private readonly CallFeatures _features;
    private readonly StartWork _start;

    // Who still uses it: the handler, the connection, and a cancellation on its way.
    private int _users = 2;

    protected ServerCall(ServerConnection connection)
    {
        Connection = connection;
        CallStream = new CallStream(this, Unknown);
        Lifetime = new RequestLifetime(this);
        Response = new ServerResponse(this);
        Request = new ServerRequest(this);
        _blocks = new RequestBlocks(this, Request);
        _timeLimits = new RequestTimeLimits(this);
        _features = new CallFeatures(this, _timeLimits);
        _start = new StartWork(this);
    }

    /// <summary>What carries it.</summary>
    public CallStream CallStream { get; }

    /// <summary>The connection that it came on.</summary>
    public ServerConnection Connection { get; }

    /// <summary>The request, as its handler sees it.</summary>
    public ServerRequest Request { get; }

    /// <summary>Whether anybody waits for the response, and how that is given up.</summary>
    public RequestLifetime Lifetime { get; }

    /// <summary>The response, as its handler sees it.</summary>
    public ServerResponse Response { get; }

    /// <summary>Whether the handler may use synchronous methods of the bodies.</summary>
    public IHttpBodyControlFeature BodyControl => _features;

    /// <summary>What Kestrel is told to allow.</summary>
    public KestrelServerLimits Limits => Connection.Application.Kestrel.Limits;

    /// <summary>
    /// Which call of its connection it is, from 1 on. Its id cannot name it: the peer chooses that, and may use it
    /// again. Written by the thread that receives before the call is in the connection's table, and read by those who
    /// got it there, or keep it in use.
    /// </summary>
    public long Number { get; set; }

    /// <summary>Whether the handler has been told to run, or never will. By the thread that receives.</summary>
    public bool IsStarted { get; private set; }

    bool ICallStreamOwner.IsInputTimed => _timeLimits.IsInputTimed;

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _features.Revision;

    object? IFeatureCollection.this[Type key]
    {
        get => _features.Find(key);
        set => _features.Set(key, value);
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default => (TFeature?)_features.Find(typeof(TFeature));

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default => _features.Set(typeof(TFeature), instance);

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator() =>
        _features.Enumerate().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _features.Enumerate().GetEnumerator();

    /// <summary>What names the call in logs, whatever the handler has set.</summary>
    public string FormatIdentifier() => $"{Connection.ConnectionId}:{Number:X8}";

    /// <summary>Logs that the handler, or something that runs for it, has failed.</summary>
    public void LogFailure(Exception exception) => Log.ApplicationFailed(
        Connection.Application.Logger, Connection.ConnectionId, Request.TraceIdentifier, exception);

    /// <summary>Makes it as new.</summary>
    /// <returns>Whether it may serve again. Not if its handler has left a read or a write behind.</returns>
    public bool TryRecycle()
    {
        if (!CallStream.IsUnused || Response.IsAwaited)
        {
            return false;
        }

        _blocks.Reuse();
        Request.Reuse();
        Lifetime.Reuse();
        Response.Reuse();
        _timeLimits.Reuse();
        _features.Reuse();
        CallStream.Reuse();
        CallStream.Profile = Unknown;
        _users = 2;
        IsStarted = false;
        return true;
    }

    /// <summary>Keeps the call from serving its next one, until <see cref="LetGo"/>. Any thread.</summary>
    /// <returns>Whether it is in use still.</returns>
    public bool TryUse()
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

    /// <summary>One of those who use the call does so no more. Any thread.</summary>
    public void LetGo()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            Connection.Return(this);
        }
    }

    void ICallStreamOwner.OnHeaders(ref HeaderReader headers) => _blocks.ReadHeaders(ref headers);

    void ICallStreamOwner.OnTrailers(ref HeaderReader trailers) => _blocks.ReadTrailers(ref trailers);

    void ICallStreamOwner.OnData(int count, bool hasEnded) => _blocks.CountData(count, hasEnded);

    void ICallStreamOwner.OnRefused(CallError error, Exception exception) => Connection.LogRefusal(exception.Message);

    void ICallStreamOwner.OnReceived(bool hasEnded)
    {
        if (!IsStarted)
        {
            IsStarted = true;

            // It is in the connection's table by now: earlier, a tick that came just then would see no calls, and stop.
            Connection.StartKeepAlive();
            _start.Schedule();
        }
    }

    void ICallStreamOwner.OnFailed(CallError error, Exception exception, bool byPeer)
    {
        if (IsStarted)
        {
            Lifetime.Abort(exception, byPeer);
        }
        else
        {
            // Nobody has seen it. The handler's part is over before it began.
            IsStarted = true;
            CallStream.FailBodies(exception, byPeer);
            CallStream.Input.Complete();
            EndHandler();
        }
    }

    void ICallStreamOwner.OnRead(long total) => Request.CheckRead(total, _blocks.ContentLength);

    void ICallStreamOwner.OnOverdue(Overdue overdue, uint id) => _timeLimits.End(overdue, id);

    void ICallStreamOwner.OnLeft(bool byReceiver) => LetGo();

    /// <summary>Runs the application. Never throws.</summary>
    protected abstract Task RunAsync();

    /// <summary>
    /// Refuses headers that are too many, and decodes them as the server's options say. Before the application.
    /// </summary>
    /// <exception cref="Microsoft.AspNetCore.Http.BadHttpRequestException">They are too many.</exception>
    /// <exception cref="MalformedCallException">A value is not what it may be.</exception>
    protected void PrepareHeaders()
    {
        _blocks.CheckHeaders();
        _blocks.DecodeHeaders();
    }

    /// <summary>Tells who listens to Kestrel that the application is about to run.</summary>
    /// <returns>Whether anybody does, who then has to hear of the end.</returns>
    protected bool TellStarted()
    {
        if (!KestrelEvents.AreHeard)
        {
            return false;
        }

        KestrelEvents.WriteRequestStarted(Connection.ConnectionId, Request.TraceIdentifier, Request.Path, Request.Method);
        return true;
    }

    /// <summary>Tells who listens to Kestrel that the application has run.</summary>
    protected void TellStopped() =>
        KestrelEvents.WriteRequestStopped(Connection.ConnectionId, Request.TraceIdentifier, Request.Path, Request.Method);

    /// <summary>
    /// The handler has ended. What it has kept of the bodies is of no use from here on, as in Kestrel.
    /// </summary>
    protected void StopBodies()
    {
        Response.StopBody();
        Request.StopBody();
    }

    /// <summary>
    /// Ends both bodies and the handler's part, whatever has been thrown before: the client and the connection wait for
    /// that.
    /// </summary>
    protected void Leave()
    {
        try
        {
            if (!Response.Progress.HasEnded && !Lifetime.IsAborted)
            {
                // Something that should not throw has. Whoever waits for the rest of the response has to learn that
                // none will come.
                Response.Progress.BreakOff();
            }

            // Where the call was reset, nothing goes, but its writer is done.
            CallStream.Output.End();

            // What the handler has not read is of no interest, and nobody will read it.
            CallStream.Discard();
            CallStream.Input.Complete();
        }
        finally
        {
            EndHandler();
        }
    }

    /// <summary>Ends the handler's part.</summary>
    private void EndHandler()
    {
        // First return, then tell: with the last handler the connection ends.
        var connection = Connection;
        LetGo();
        connection.EndHandler();
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
