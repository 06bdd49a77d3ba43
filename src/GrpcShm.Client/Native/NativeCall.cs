using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;

namespace GrpcShm.Client.Native;

/// <summary>
/// A call that its invoker frames by itself, as its caller sees it: when it ends, with which status, headers and
/// trailers. One object serves one call, so whoever holds it long after its end does no harm.
/// </summary>
/// <remarks>
/// Two things are decided once. The <b>status</b> is that of whoever comes first: the end of the response, a failure, a
/// cancellation, the deadline, or the call's disposal. It is decided before anything is given back, so whoever finds
/// that the call is over also finds its status. The <b>stage</b> says who may use the exchange, which serves other
/// calls later:
/// <code>
/// Waiting     to HandedOver  by the completion: there is a response, and its reader owns the exchange
/// Waiting     to Over        by the completion: there is none, and none will come
/// HandedOver  to Over        by the reader, who gives the exchange back and lets it serve again
/// any         to Cancelled   by whoever gives the call up. If that was Waiting, the token ends the call. If it was
///                            HandedOver, the reader fails, and never lets the exchange serve again. So whoever gives
///                            up may use the exchange for as long as it likes
/// </code>
/// All steps are compare-and-swaps or exchanges of one field. A call that grpc-dotnet has to make after all, since its
/// server turned out to have no direct mode, stays Waiting until that other call has ended.
/// </remarks>
internal abstract partial class NativeCall : IPendingCall, IDisposable
{
    private const int Waiting = 0;
    private const int HandedOver = 1;
    private const int Cancelled = 2;
    private const int Over = 3;

    private readonly CallTarget _target;
    private readonly CancellationToken _token;
    private readonly WriteOptions? _writeOptions;
    private CallCancellation? _cancellation;
    private CancellationTokenRegistration _registration;
    private int _stage;
    private volatile bool _isDisposed;

    // The same call as grpc-dotnet makes it. Written once, by whoever makes it, with a fence before the stage is read;
    // whoever gives the call up writes the stage, with a fence, before this is read. So at least one of them releases.
    private OtherCall? _other;

    protected NativeCall(NativeChannel channel, CallTarget target, CallScope scope, in CallOptions options)
    {
        Channel = channel;
        _target = target;
        _token = options.CancellationToken;
        _writeOptions = options.WriteOptions;

        // The caller may use the same object for its next call while this one waits.
        RequestHeaders = options.Headers is { Count: > 0 } headers ? Copy(headers) : null;
        Deadline = options.Deadline ?? DateTime.MaxValue;
        WaitsForServer = options.IsWaitForReady;
        Span = RequestTracing.Current;
        Log = channel.Loggers is { AreOn: true } loggers ? new CallLog(loggers, scope) : null;
    }

    /// <summary>The deadline, as UTC; the largest time if there is none.</summary>
    public DateTime Deadline { get; }

    /// <summary>The headers that the caller has set.</summary>
    public Metadata? RequestHeaders { get; }

    /// <summary>The span that the call belongs to, for the server; nothing if there is none.</summary>
    public Activity? Span { get; }

    /// <summary>True once the caller has said that it needs the call no more.</summary>
    public bool IsDisposed => _isDisposed;

    public ClientCallPool Carriers => Channel.Carriers;

    // Nobody asks for it once the call is over.
    public CancellationToken CancellationToken =>
        Volatile.Read(ref _cancellation)?.Token ?? new CancellationToken(canceled: true);

    public bool IsObserved => false;

    public bool WaitsForServer { get; }

    public int Failures { get; set; }

    public string? WhyNotCarried { get; set; }

    /// <summary>True if the messages of the response take over the memory in which they lie.</summary>
    public abstract bool TakesLoans { get; }

    protected NativeChannel Channel { get; }

    /// <summary>Carries the call, once the response has been handed over.</summary>
    protected NativeExchange? Exchange { get; private set; }

    public CallTarget? FindTarget() => _target;

    /// <summary>Sends the call: at once, or when there is a connection that takes it.</summary>
    /// <returns>False if nothing has been done, so that the call has to be made another way.</returns>
    public bool TryBegin()
    {
        var cancellation = Channel.Cancellations.Rent();
        _cancellation = cancellation;
        cancellation.Begin(this);
        _registration = _token.UnsafeRegister(
            static (call, token) => ((NativeCall)call!).Cancel(ResponseStatus.CreateCancelled(token)), this);
        try
        {
            // The channel is looked at after the call has entered its cancellation, see NativeChannel.Dispose.
            if (!Channel.IsDisposed)
            {
                switch (Channel.Connections.TrySend(this))
                {
                    case SendResult.Sent:
                        return true;
                    case SendResult.NoConnection:
                        Channel.Connections.Retry(this);
                        return true;
                }
            }
        }
        catch (Exception exception)
        {
            // A listener of metrics has thrown when the connection became active. Nothing has been sent.
            TrySetException(exception);
            return true;
        }

        Release(Interlocked.CompareExchange(ref _stage, Over, Waiting) == Waiting);
        return false;
    }

    /// <summary>Ends the call, since its deadline has passed.</summary>
    public void Expire() => Cancel(new Status(StatusCode.DeadlineExceeded, ""));

    /// <summary>Ends the call, since its caller needs it no more.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Cancel(ResponseStatus.Disposed);
        OnDisposed();
    }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    /// <summary>
    /// Gives the call up if a token fires, for as long as an operation takes that has a token of its own.
    /// </summary>
    public CancellationTokenRegistration CancelBy(CancellationToken token) =>
        token == _token
            ? default
            : token.UnsafeRegister(
                static (call, fired) => ((NativeCall)call!).Cancel(ResponseStatus.CreateCancelled(fired)), this);

    /// <summary>Sends the content of the request. By the thread that begins the call.</summary>
    public abstract void SendContent(NativeExchange exchange);

    /// <summary>Takes over the response. By the completion.</summary>
    /// <param name="exchange">Carries the response.</param>
    /// <param name="isWhole">True if all of the response is here.</param>
    public void HandOver(NativeExchange exchange, bool isWhole)
    {
        Exchange = exchange;
        if (Interlocked.CompareExchange(ref _stage, HandedOver, Waiting) != Waiting)
        {
            // Given up at the same moment. Nobody will read the response.
            DropQuietly(exchange.Call);
            Release(isOver: false);
            OnFailed(GetStatus());
            return;
        }

        SetHeaders(exchange.Headers ?? NoHeaders);
        if (exchange.StatusOfHeaders is { } status)
        {
            OnEndedByHeaders(exchange, status, isWhole);
        }
        else
        {
            OnResponse(exchange, isWhole);
        }
    }

    // Nobody is told of queues: calls that somebody listens to are made by grpc-dotnet.
    void IPendingCall.EnterQueue()
    {
    }

    void IPendingCall.LeaveQueue()
    {
    }

    public abstract Task SendElsewhereAsync(SendResult reason);

    public void Fail(Exception failure) => TrySetException(CallFailures.CreateSending(failure));

    public bool TrySetException(Exception exception)
    {
        var status = End(StatusOf(ResponseStatus.Starting, exception));
        Release(Interlocked.CompareExchange(ref _stage, Over, Waiting) == Waiting);
        OnFailed(status);
        return true;
    }

    public bool TrySetCanceled(CancellationToken cancellationToken)
    {
        // Whoever has fired the token has set the status before. An attempt to connect that was given up has not.
        var status = End(new Status(StatusCode.Cancelled, ""));
        Release(Interlocked.CompareExchange(ref _stage, Over, Waiting) == Waiting);
        OnFailed(status);
        return true;
    }

    /// <summary>Begins to read the response, which has messages or trailers. By the completion.</summary>
    protected abstract void OnResponse(NativeExchange exchange, bool isWhole);

    /// <summary>Ends a call whose headers have its status. By the completion.</summary>
    protected abstract void OnEndedByHeaders(NativeExchange exchange, Status status, bool isWhole);

    /// <summary>Tells the caller that the call has failed.</summary>
    protected abstract void OnFailed(Status status);

    /// <summary>
    /// Called when nobody needs request and response any more, maybe more than once. Any thread; never waits or throws.
    /// </summary>
    protected virtual void OnOver()
    {
    }

    /// <summary>Called when the caller has disposed of the call.</summary>
    protected virtual void OnDisposed()
    {
    }

    /// <summary>Ends the use of the exchange by the reader.</summary>
    /// <param name="exchange">The exchange, of no more use afterwards.</param>
    /// <param name="status">The status that the response has.</param>
    /// <param name="isWhole">
    /// True if all of the response is here, so that it has trailers, and the exchange may serve again.
    /// </param>
    /// <returns>The status of the call.</returns>
    protected Status EndResponse(NativeExchange exchange, Status status, bool isWhole)
    {
        TryEnd(status, isWhole || exchange.HasStatusInHeaders ? exchange.Trailers : null, isWhole: true, Log);
        var isOver = Interlocked.CompareExchange(ref _stage, Over, HandedOver) == HandedOver;
        if (!isWhole)
        {
            exchange.Call.Abandon();
        }

        Release(isOver);
        exchange.Call.EndResponse(isWhole && isOver);
        return GetStatus();
    }

    /// <summary>Ends a call whose response cannot be read to its end. Its log is told.</summary>
    /// <param name="exchange">The exchange, of no more use afterwards.</param>
    /// <param name="summary">What was done.</param>
    /// <param name="exception">The reason.</param>
    /// <returns>The status of the call.</returns>
    protected Status FailResponse(NativeExchange exchange, string summary, Exception exception)
    {
        if (!HasEnded)
        {
            Log?.WriteFailedReading(exception);
        }

        var status = End(StatusOf(summary, exception));
        var isOver = Interlocked.CompareExchange(ref _stage, Over, HandedOver) == HandedOver;

        // First: the server must not take what it has got of the request for the whole.
        DropQuietly(exchange.Call);
        Release(isOver);
        return status;
    }

    /// <summary>Drops a response that nobody will read.</summary>
    protected static void DropQuietly(ClientCall call)
    {
        try
        {
            call.Drop();
        }
        catch (Exception)
        {
            // A listener of metrics has thrown, which is called last. The call has failed for a reason of its own,
            // which its caller is told.
        }
    }

    /// <summary>Makes the options for the same call, to be made another way.</summary>
    protected CallOptions CreateOptions() =>
        new CallOptions(RequestHeaders, Deadline, CancellationToken, _writeOptions).WithWaitForReady(WaitsForServer);

    /// <summary>Goes on as the same call that grpc-dotnet makes.</summary>
    protected void GoOnAs(OtherCall other)
    {
        Interlocked.Exchange(ref _other, other);
        if (Volatile.Read(ref _stage) == Cancelled)
        {
            // Whoever gives the call up may not have come so far yet, and finds nothing to fire when this is done.
            Volatile.Read(ref _cancellation)?.Cancel();
            Release(isOver: false);
        }

        _ = TakeHeadersAsync(other);
    }

    /// <summary>Ends the call as the same call of grpc-dotnet has ended, see <see cref="GoOnAs"/>.</summary>
    /// <param name="failure">What its response has thrown.</param>
    /// <returns>The status of the call.</returns>
    protected async Task<Status> EndAsOtherAsync(Exception? failure)
    {
        var other = _other!;

        // The end without headers would be a failure of them.
        await TakeHeadersAsync(other).ConfigureAwait(false);
        var status = other.FindStatus() ?? StatusOf(ResponseStatus.Reading, failure!);

        // Its end has been logged there. Whoever asks for the trailers asks there, too.
        var trailers = (failure as RpcException)?.Trailers ?? Metadata.Empty;
        TryEnd(status, new ReceivedMetadata(trailers), isWhole: false, log: null);
        Release(Interlocked.CompareExchange(ref _stage, Over, Waiting) == Waiting);
        return GetStatus();
    }

    /// <summary>Finds who makes the same call over HTTP/2, within the span of this call.</summary>
    protected CallInvoker FindOther()
    {
        if (Span is not null)
        {
            // A call whose first connection was lost is made where nobody knows of it.
            Activity.Current = Span;
        }

        return Channel.Fallback;
    }

    private static Metadata Copy(Metadata headers)
    {
        var copy = new Metadata();
        foreach (var entry in headers)
        {
            copy.Add(entry);
        }

        return copy;
    }

    /// <summary>Gives the call up. Any thread; never waits.</summary>
    private void Cancel(Status status)
    {
        // The same call of grpc-dotnet has a log of its own.
        var log = Volatile.Read(ref _other) is null ? Log : null;
        if (!TryEnd(status, null, isWhole: false, log, isGivenUp: true))
        {
            return;
        }

        switch (Interlocked.Exchange(ref _stage, Cancelled))
        {
            case Waiting:
                Volatile.Read(ref _cancellation)?.Cancel();
                if (Volatile.Read(ref _other) is not null)
                {
                    // Nobody may ever read the response of the other call.
                    Release(isOver: false);
                }

                break;
            case HandedOver:
                var call = Exchange!.Call;
                call.CallStream.FailInput(new OperationCanceledException(status.Detail));
                call.Abandon();
                Release(isOver: false);
                break;
        }
    }

    /// <summary>Gives back what the call has for its cancellation.</summary>
    /// <param name="isOver">True if nobody can give the call up any more.</param>
    private void Release(bool isOver)
    {
        _registration.Unregister();
        OnOver();
        if (Interlocked.Exchange(ref _cancellation, null) is not { } cancellation)
        {
            return;
        }

        if (isOver)
        {
            Channel.Cancellations.Return(cancellation);
        }
        else
        {
            Channel.Cancellations.Drop(cancellation);
        }
    }
}
