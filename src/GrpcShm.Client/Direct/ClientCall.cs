using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A call in direct mode as its client sees it: how it ends, how far it has come, and whether it may be tried again.
/// Pooled: a call that took the usual course serves again when its three users are done with it: the connection, the
/// sender of the request, and the reader of the response.
/// </summary>
/// <remarks>
/// How the call ends is decided once, by whoever is first (<see cref="CallOutcome"/>): the thread that receives, a
/// cancellation, or the request's content. The winner schedules the completion, which runs the caller's continuation on
/// the thread that the target's <see cref="RunProfile"/> says. Request and response are written and read by the
/// <see cref="ICallExchange"/>.
/// </remarks>
internal sealed class ClientCall : ICallStreamOwner
{
    private static readonly RunProfile Unknown = new(RunMode.ThreadPool);

    private readonly ClientCallPool _pool;
    private readonly ICallExchange _exchange;
    private readonly CompletionWork _completion;
    private readonly CallOutcome _outcome = new();
    private readonly CallProgress _progress = new();
    private readonly CallUsers _users = new();
    private IPendingCall? _pending;
    private DirectConnection? _owner;
    private CancellationTokenRegistration _cancellation;
    private CallError _error;
    private bool _usesConnection;

    // Set by whoever ends the call, on any thread; read by the sender of the request, who may see it late: then the
    // rest of the request is dropped by the call stream. Cleared when the last of the three users has gone.
    private volatile bool _isOver;

    // Written by the thread that sends the content, before the frame that ends it; read by the completion, which is
    // scheduled after the call has failed. If the completion sees it too late, the request is just not sent again.
    // Cleared when the last of the three users has gone.
    private bool _canRepeatContent;

    // The thread that receives writes these.
    private Exception? _refusal;
    private bool _hasResponse;

    // Written by the thread that receives, before it settles the outcome, whose compare-and-swap publishes it to the
    // completion. A completion that was faster reads either value: with the old one the response is read to its end as
    // if more could come.
    private volatile bool _hasEnded;

    public ClientCall(ClientCallPool pool, Func<ClientCall, ICallExchange> createExchange)
    {
        _pool = pool;
        CallStream = new CallStream(this, Unknown);
        _exchange = createExchange(this);
        _completion = new CompletionWork(this);
    }

    /// <summary>Carries the call on its connection.</summary>
    public CallStream CallStream { get; }

    /// <summary>
    /// True once nobody wants the rest of the request: the response has ended, or the call was given up.
    /// </summary>
    public bool IsOver => _isOver;

    /// <summary>The reason for a failure, once the call is over.</summary>
    public Exception? BrokenBy { get; private set; }

    // Only servers have time limits.
    bool ICallStreamOwner.IsInputTimed => false;

    /// <summary>Begins a call. The pending call learns of the response, or of the failure.</summary>
    /// <returns>
    /// What became of the attempt. If the call was not sent, the connection goes away, is lost or is full, or direct
    /// mode does not carry such a call; then this object is of no more use.
    /// </returns>
    public SendResult Begin(IPendingCall pending, DirectConnection owner, CallTarget target)
    {
        _pending = pending;
        _owner = owner;
        CallStream.Profile = target.Profile;
        CallStream.Attach(owner.Calls);
        try
        {
            if (_exchange.WriteHeaders(pending, target) is { } reason)
            {
                pending.WhyNotCarried = reason;
                return SendResult.NotCarried;
            }
        }
        catch (InvalidOperationException exception)
        {
            // Direct mode has no room for so many headers.
            pending.WhyNotCarried = exception.Message;
            return SendResult.NotCarried;
        }

        // Before the connection knows the call: from then on the call may complete at any time, which ends the
        // registration.
        _cancellation = pending.CancellationToken.UnsafeRegister(static state => ((ClientCall)state!).Cancel(), this);
        _usesConnection = true;
        var isAdded = false;
        try
        {
            isAdded = owner.TryAdd(this);
        }
        finally
        {
            if (!isAdded)
            {
                _cancellation.Dispose();
            }
        }

        if (!isAdded)
        {
            return SendResult.NoConnection;
        }

        switch (_progress.Begin())
        {
            case CallProgress.Step.None:
                if (!pending.IsObserved || TryTell(pending, owner))
                {
                    _exchange.SendContent(pending);
                }

                break;
            case CallProgress.Step.CancelledBefore:
                GiveUp(CallOutcome.Result.Cancellation, null);
                ReleaseUser();
                break;
            default:
                // The connection is lost already. The completion tries another one.
                ReleaseUser();
                break;
        }

        return SendResult.Sent;
    }

    /// <summary>Keeps this object from serving again, since somebody may use it beyond the end of the call.</summary>
    public void KeepFromReuse() => _users.KeepFromReuse();

    /// <summary>Ends the request, of which all has been written. The last call by the sender of the request.</summary>
    /// <param name="canRepeat">True if the same content can be written again.</param>
    public void EndRequest(bool canRepeat)
    {
        Volatile.Write(ref _canRepeatContent, canRepeat);
        CallStream.Output.End();
        ReleaseUser();
    }

    /// <summary>
    /// Fails the request, since its content has failed: by itself, or because nobody wants it any more. The last call
    /// by the sender of the request.
    /// </summary>
    /// <param name="exception">The failure of the content.</param>
    /// <param name="forReader">The exception for a caller who reads the response already.</param>
    public void FailRequest(Exception exception, Exception forReader)
    {
        _users.KeepFromReuse();
        if (!_isOver && !GiveUp(CallOutcome.Result.Failure, exception))
        {
            // The caller has the response, and reads it.
            CallStream.FailInput(forReader);
            Abandon();
        }

        ReleaseUser();
    }

    /// <summary>
    /// Drops what is left of the request, since the call is over. The last call by the sender of the request.
    /// </summary>
    public void DropRequest()
    {
        _users.KeepFromReuse();
        Abandon();
        ReleaseUser();
    }

    /// <summary>Ends the use of the call by the reader of the response.</summary>
    /// <param name="isRead">True if it was read to its end, and nobody else can still be reading it.</param>
    public void EndResponse(bool isRead)
    {
        if (!isRead)
        {
            _users.KeepFromReuse();
        }

        CallStream.Input.Complete();
        try
        {
            ReleaseConnection();
        }
        finally
        {
            // A listener of metrics, which is foreign code, may have thrown.
            ReleaseUser();
        }
    }

    /// <summary>
    /// Gives up a call whose response nobody holds any more. May run foreign code, so not on the finalizer's thread.
    /// </summary>
    public void Drop()
    {
        Abandon();
        EndResponse(isRead: false);
    }

    /// <summary>Drops what is left of the response. If it has not ended, the call is given up.</summary>
    public void Abandon()
    {
        _isOver = true;
        CallStream.Discard();
        CallStream.Reset(CallError.Cancelled);
    }

    void ICallStreamOwner.OnHeaders(ref HeaderReader headers)
    {
        _exchange.ReadHeaders(ref headers, _pending);
        _hasResponse = true;
    }

    void ICallStreamOwner.OnTrailers(ref HeaderReader trailers) =>
        _exchange.ReadTrailers(ref trailers, isHandedOver: _outcome.IsSettled);

    void ICallStreamOwner.OnData(int count, bool hasEnded)
    {
    }

    // A response that makes no sense ends one call: a handler that sets a status of 0 must not end all calls.
    void ICallStreamOwner.OnRefused(CallError error, Exception exception) =>
        _refusal = _exchange.DescribeRefusal(exception);

    void ICallStreamOwner.OnReceived(bool hasEnded)
    {
        if (hasEnded)
        {
            _hasEnded = true;
            _isOver = true;
        }

        if (_hasResponse && !_outcome.IsSettled && _outcome.TrySettle(CallOutcome.Result.Response))
        {
            _completion.Schedule();
        }
    }

    void ICallStreamOwner.OnFailed(CallError error, Exception exception, bool byPeer)
    {
        if (!_hasEnded)
        {
            // Before a writer learns that the call is over: it will ask why.
            BrokenBy = _refusal ?? exception;
            _isOver = true;
            _error = error;
            if (_outcome.TrySettle(CallOutcome.Result.Failure, BrokenBy))
            {
                _completion.Schedule();
            }
        }

        CallStream.FailBodies(exception, byPeer);
    }

    void ICallStreamOwner.OnRead(long total)
    {
    }

    void ICallStreamOwner.OnOverdue(Overdue overdue, uint id)
    {
    }

    void ICallStreamOwner.OnLeft(bool byReceiver)
    {
        if (!byReceiver)
        {
            _users.KeepFromReuse();
        }

        ReleaseUser();
    }

    /// <summary>
    /// Tells listeners that the call begins. Nothing of it has been sent yet, so no response can have come.
    /// </summary>
    /// <returns>True if no listener has thrown. Else the caller of the call gets the exception.</returns>
    private bool TryTell(IPendingCall pending, DirectConnection owner)
    {
        try
        {
            _exchange.TellBegun(pending, owner.Number);
            return true;
        }
        catch (Exception exception)
        {
            GiveUp(CallOutcome.Result.Failure, exception);
            ReleaseUser();
            return false;
        }
    }

    /// <summary>Gives the call up, since the caller's token has fired.</summary>
    private void Cancel()
    {
        if (_progress.CancelOrFindBegun())
        {
            GiveUp(CallOutcome.Result.Cancellation, null);
        }
    }

    /// <summary>Ends the call from this side, if its outcome is not decided yet.</summary>
    private bool GiveUp(CallOutcome.Result outcome, Exception? failure)
    {
        if (!_outcome.TrySettle(outcome, failure))
        {
            return false;
        }

        Abandon();
        _completion.Schedule();
        return true;
    }

    /// <summary>Tells the caller how the call has ended. The caller's continuation runs in here.</summary>
    private void Complete()
    {
        // Waits for a cancellation that runs at this moment: it must not reach the next use of this object.
        _cancellation.Dispose();
        var pending = _pending!;
        var owner = _owner!;

        // The pending call will hold the response, which nothing here may hold: see ICallExchange.HandOver.
        _pending = null;
        try
        {
            Complete(pending, owner);
        }
        catch (Exception exception)
        {
            // A listener of metrics has thrown while the call was taken off its connection. Nobody else would tell the
            // caller.
            pending.TrySetException(exception);
        }
    }

    private void Complete(IPendingCall pending, DirectConnection owner)
    {
        switch (_outcome.Kind)
        {
            case CallOutcome.Result.Response:
                HandOver(pending);
                break;
            case CallOutcome.Result.Cancellation:
                EndResponse(isRead: false);
                pending.TrySetCanceled(pending.CancellationToken);
                break;
            default:
                var failure = _outcome.Failure!;
                var isRefused = _error == CallError.Refused;
                var isWorthAnother = IsWorthAnother();
                EndResponse(isRead: false);
                if (isWorthAnother)
                {
                    owner.TryElsewhere(pending, isRefused);
                }
                else
                {
                    pending.Fail(failure);
                }

                break;
        }
    }

    /// <summary>Hands the response to the caller, who owns it from then on.</summary>
    private void HandOver(IPendingCall pending)
    {
        var isWhole = _hasEnded;
        if (isWhole)
        {
            // All of the response is here, so its reader may drop it unread.
            try
            {
                ReleaseConnection();
            }
            catch
            {
                // The caller gets the exception of a listener instead of the response.
                Drop();
                throw;
            }
        }

        _exchange.HandOver(pending, isWhole);
    }

    /// <summary>
    /// True if it is certain that the server has not begun the call, and if the request can be sent again.
    /// </summary>
    private bool IsWorthAnother()
    {
        if (_progress.TryFailBeforeBegun())
        {
            return true;
        }

        if (_hasResponse || !Volatile.Read(ref _canRepeatContent))
        {
            return false;
        }

        return _error == CallError.Refused || _owner!.HasNotBegun(CallStream.HasBegun);
    }

    /// <summary>
    /// Takes the call off its connection, which the response needs no more. By the completion, and by the reader after
    /// it.
    /// </summary>
    private void ReleaseConnection()
    {
        if (_usesConnection)
        {
            _usesConnection = false;
            _owner!.ReleaseCall();
        }
    }

    private void ReleaseUser()
    {
        if (!_users.LetGo() || !CallStream.IsUnused)
        {
            return;
        }

        _pending = null;
        _owner = null;
        _cancellation = default;
        _outcome.Reuse();
        _progress.Reuse();
        _error = CallError.None;
        _users.Reuse();
        _isOver = false;
        _canRepeatContent = false;
        _refusal = null;
        _hasResponse = false;
        _hasEnded = false;
        _exchange.Reuse();
        CallStream.Reuse();
        CallStream.Profile = Unknown;
        _pool.Return(this);
    }

    private sealed class CompletionWork(ClientCall call) : ReactorWork
    {
        public override RunProfile Profile => call.CallStream.Profile;

        public override void Run() => call.Complete();
    }
}
