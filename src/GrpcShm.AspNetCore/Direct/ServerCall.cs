using System.Collections;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.AspNetCore.Native;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Http.Features;
using KestrelServerLimits = Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerLimits;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// A call in direct mode as ASP.NET Core sees it: a request with its features. Pooled: the object serves its next call
/// when the handler has ended and the call has left its connection.
/// </summary>
/// <remarks>
/// The parts of the request take what comes for the call (<see cref="RequestBlocks"/>, <see cref="ServerRequest"/>,
/// <see cref="RequestLifetime"/>, <see cref="RequestTimeLimits"/>), the parts of the response what the handler answers
/// (<see cref="ServerResponse"/>, <see cref="ResponseProgress"/>). This class counts the users of the call, and begins
/// and ends it.
/// </remarks>
internal abstract class ServerCall : ICallStreamOwner, IFeatureCollection
{
    private static readonly RunProfile Unknown = new(RunMode.ThreadPool);

    private readonly RequestBlocks _blocks;
    private readonly RequestTimeLimits _timeLimits;
    private readonly CallFeatures _features;
    private readonly StartWork _start;
    private NativeParts? _native;

    // The number of users: the handler, the connection, and each cancellation that is under way.
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

    /// <summary>Carries the call on its connection.</summary>
    public CallStream CallStream { get; }

    /// <summary>The connection on which the call came.</summary>
    public ServerConnection Connection { get; }

    /// <summary>The request, as its handler sees it.</summary>
    public ServerRequest Request { get; }

    /// <summary>Says whether anybody waits for the response, and gives the request up.</summary>
    public RequestLifetime Lifetime { get; }

    /// <summary>The response, as its handler sees it.</summary>
    public ServerResponse Response { get; }

    /// <summary>Says whether the handler may use synchronous methods of the bodies.</summary>
    public IHttpBodyControlFeature BodyControl => _features;

    /// <summary>The limits in Kestrel's options.</summary>
    public KestrelServerLimits Limits => Connection.Application.Kestrel.Limits;

    /// <summary>
    /// The number of the call on its connection, from 1 on. The id would not do: the peer chooses it, and may use it
    /// again. Written by the thread that receives before the call is in the connection's table, and read by code that
    /// has found the call there, or keeps it in use.
    /// </summary>
    public long Number { get; set; }

    /// <summary>True once the handler was started, or never will be. By the thread that receives.</summary>
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

    /// <summary>Makes the identifier of the call in logs, also if the handler has set another one.</summary>
    public string FormatIdentifier() => FormatIdentifier(Connection.ConnectionId, Number);

    /// <summary>Makes the identifier of a call in logs.</summary>
    public static string FormatIdentifier(string connectionId, long number) => $"{connectionId}:{number:X8}";

    /// <summary>Logs that the handler, or one of its callbacks, has failed.</summary>
    public void LogFailure(Exception exception) => Log.ApplicationFailed(
        Connection.Application.Logger, Connection.ConnectionId, Request.TraceIdentifier, exception);

    /// <summary>Finds what a native call need not make anew. By the handler.</summary>
    /// <param name="method">The method that is called.</param>
    public NativeParts FindNativeParts(NativeMethod method)
    {
        if (_native is null)
        {
            _native = new NativeParts(this, method);
        }
        else
        {
            _native.Set(method.Settings);
        }

        return _native;
    }

    /// <summary>Prepares the object for the next call.</summary>
    /// <returns>False if it cannot serve again, since its handler has left a read or a write behind.</returns>
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
        _native?.Reader.Reuse();
        CallStream.Reuse();
        CallStream.Profile = Unknown;
        _users = 2;
        IsStarted = false;
        return true;
    }

    /// <summary>Keeps the object from serving another call until <see cref="LetGo"/>. Any thread.</summary>
    /// <returns>False if the call has no users any more.</returns>
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

    /// <summary>Ends the use of the call by one of its users. Any thread.</summary>
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

            // The call is in the connection's table by now. If the keep-alive started before that, its timer could see
            // no calls at that moment, and stop.
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
            // No handler has seen the call, and none will: the handler's use of it ends here.
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
    /// Refuses too many headers, and decodes them as the server's options say. Before the application runs.
    /// </summary>
    /// <exception cref="Microsoft.AspNetCore.Http.BadHttpRequestException">There are too many headers.</exception>
    /// <exception cref="MalformedCallException">A decoded value has a line break or a zero in it.</exception>
    protected void PrepareHeaders()
    {
        _blocks.CheckHeaders();
        _blocks.DecodeHeaders();
    }

    /// <summary>Finds the method, if the call need not take the application's full pipeline.</summary>
    protected NativeMethod? FindNative() =>
        Request.Target?.FindNative() is { Surroundings.Listeners.AreThere: false, Pipeline.LetsPass: true } method
            ? method
            : null;

    /// <summary>Tells listeners to Kestrel's events that the application is about to run.</summary>
    /// <returns>True if anybody listens: then <see cref="TellStopped"/> has to follow.</returns>
    protected bool TellStarted()
    {
        if (!KestrelEvents.AreHeard)
        {
            return false;
        }

        KestrelEvents.WriteRequestStarted(
            Connection.ConnectionId, Request.TraceIdentifier, Request.Path, Request.Method);
        return true;
    }

    /// <summary>Tells listeners to Kestrel's events that the application has run.</summary>
    protected void TellStopped() =>
        KestrelEvents.WriteRequestStopped(
            Connection.ConnectionId, Request.TraceIdentifier, Request.Path, Request.Method);

    /// <summary>
    /// Refuses the use of both bodies from now on, since the handler has ended, as Kestrel does.
    /// </summary>
    protected void StopBodies()
    {
        Response.StopBody();
        Request.StopBody();
    }

    /// <summary>
    /// Ends both bodies and the handler's use of the call, whatever was thrown before: the client and the connection
    /// wait for this.
    /// </summary>
    protected void Leave()
    {
        try
        {
            if (!Response.Progress.HasEnded && !Lifetime.IsAborted)
            {
                // Code that should not throw has thrown. The client has to learn that no more of the response will
                // come.
                Response.Progress.BreakOff();
            }

            // If the call was reset, this sends nothing, but completes the writer.
            CallStream.Output.End();

            // Nobody will read what the handler has not read.
            CallStream.Discard();
            CallStream.Input.Complete();
        }
        finally
        {
            EndHandler();
        }
    }

    /// <summary>Ends the handler's use of the call.</summary>
    private void EndHandler()
    {
        // The call is returned before the connection is told: with the last handler the connection ends.
        var connection = Connection;
        LetGo();
        connection.EndHandler();
    }

    private sealed class StartWork(ServerCall call) : ReactorWork
    {
        // Written before the work is handed to the pool; read where it runs.
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
