using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A call as <see cref="HttpMessageHandler"/> sees it: a request that is sent, and a response that comes. Pooled: a call
/// that took the usual course serves again when its three users are done with it, which are the connection, the one
/// who sends the request, and the one who reads the response.
/// </summary>
/// <remarks>
/// What comes of it is decided once, by compare-and-swap of <c>_outcome</c>, by whoever is first: the thread that
/// receives, a cancellation, or the request's content. The winner schedules the completion, which runs the caller's
/// continuation where the path's <see cref="RunProfile"/> says.
/// </remarks>
internal sealed partial class ClientCall : ICallStreamOwner
{
    private const int Users = 3;

    private static readonly RunProfile Unknown = new(RunMode.ThreadPool);

    private readonly ClientCallPool _pool;
    private readonly CompletionWork _completion;
    private PendingRequest? _pending;
    private DirectConnection? _owner;
    private CancellationTokenRegistration _cancellation;
    private Exception? _failure;
    private volatile Outcome _outcome;

    // By compare-and-swap alone: by Begin, a cancellation, and the completion of a call that has failed. The first one decides.
    private Progress _progress;
    private CallError _error;

    // Counted down by each of the three, with a full fence: the last one sees all that the others have written, and resets it.
    private int _users = Users;
    private bool _isReusable = true;
    private bool _usesConnection;

    // Set by whoever ends the call, from any thread; read by who sends the rest of the request, who may see it late: then that is
    // dropped further down. Cleared with the last of the three users gone.
    private volatile bool _isOver;

    public ClientCall(ClientCallPool pool)
    {
        CallStream = new CallStream(this, Unknown);
        _pool = pool;
        _completion = new CompletionWork(this);
    }

    /// <summary>What carries it.</summary>
    public CallStream CallStream { get; }

    // Time limits are a server's, and any number of bytes may be read.
    bool ICallStreamOwner.IsInputTimed => false;

    private enum Outcome
    {
        None,
        Response,
        Failure,
        Cancellation,
    }

    private enum Progress
    {
        None,
        Begun,
        CancelledBefore,
        FailedBefore,
    }

    /// <summary>Sends a request. The response, or what else comes of it, is told to the request.</summary>
    /// <returns>
    /// What has become of it. If it was not sent, the connection is going away, lost, or full, or does not carry such a request, and
    /// this call is of no more use.
    /// </returns>
    public SendResult Begin(PendingRequest pending, DirectConnection owner, CallPath path)
    {
        _pending = pending;
        _owner = owner;
        CallStream.Profile = path.Profile;
        CallStream.Attach(owner.Calls);
        try
        {
            if (WriteHeaders(pending.Request, path) is { } reason)
            {
                pending.WhyNotCarried = reason;
                return SendResult.NotCarried;
            }
        }
        catch (InvalidOperationException exception)
        {
            // More than direct mode has room for.
            pending.WhyNotCarried = exception.Message;
            return SendResult.NotCarried;
        }

        // Before the connection knows the call: from then on it may complete at any time, which ends the registration.
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

        switch (Interlocked.CompareExchange(ref _progress, Progress.Begun, Progress.None))
        {
            case Progress.None:
                if (!pending.IsObserved || TryTell(pending, owner))
                {
                    SendContent(pending.Request.Content!);
                }

                break;
            case Progress.CancelledBefore:
                GiveUp(Outcome.Cancellation, null);
                ReleaseUser();
                break;
            default:
                // Lost again already. The completion tries another connection.
                ReleaseUser();
                break;
        }

        return SendResult.Sent;
    }

    /// <summary>Tells who listens that the request begins. Nothing of it has been sent yet, so no response can have come.</summary>
    /// <returns>Whether nobody of them has thrown. Else the caller gets that.</returns>
    private bool TryTell(PendingRequest pending, DirectConnection owner)
    {
        try
        {
            owner.TellBegun(pending);
            _isHeard = HttpEvents.AreHeard;
            return true;
        }
        catch (Exception exception)
        {
            GiveUp(Outcome.Failure, exception);
            ReleaseUser();
            return false;
        }
    }

    /// <summary>Ends the response's part.</summary>
    /// <param name="isRead">Whether it was read to its end, and by nobody else at the same time.</param>
    public void EndResponse(bool isRead)
    {
        if (!isRead)
        {
            _isReusable = false;
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

    /// <summary>Nobody can read the response any more: nobody holds it. May run foreign code, so not by a finalizer.</summary>
    public void Drop()
    {
        Abandon();
        EndResponse(isRead: false);
    }

    /// <summary>The response is of no more interest. If it has not ended, the call is given up.</summary>
    public void Abandon()
    {
        _isOver = true;
        CallStream.Discard();
        CallStream.Reset(CallError.Cancelled);
    }

    public void OnLeft(bool byReceiver)
    {
        if (!byReceiver)
        {
            _isReusable = false;
        }

        ReleaseUser();
    }

    void ICallStreamOwner.OnData(int count, bool hasEnded)
    {
    }

    void ICallStreamOwner.OnRead(long total)
    {
    }

    void ICallStreamOwner.OnOverdue(Overdue overdue, uint id)
    {
    }

    /// <summary>The caller's token has fired.</summary>
    private void Cancel()
    {
        if (Interlocked.CompareExchange(ref _progress, Progress.CancelledBefore, Progress.None) == Progress.Begun)
        {
            GiveUp(Outcome.Cancellation, null);
        }
    }

    /// <summary>Ends the call from this side, if nothing has come of it yet.</summary>
    private bool GiveUp(Outcome outcome, Exception? failure)
    {
        if (!TrySettle(outcome, failure))
        {
            return false;
        }

        Abandon();
        _completion.Schedule();
        return true;
    }

    private bool TrySettle(Outcome outcome, Exception? failure)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, Outcome.None) != Outcome.None)
        {
            return false;
        }

        // Read by the completion, which is scheduled after this.
        _failure = failure;
        return true;
    }

    /// <summary>The connection is of no more use to the response. By the completion, and by the reader after it.</summary>
    private void ReleaseConnection()
    {
        if (_usesConnection)
        {
            _usesConnection = false;
            _owner!.ResponseEnded();
        }
    }

    private void ReleaseUser()
    {
        if (Interlocked.Decrement(ref _users) > 0 || !_isReusable || !CallStream.IsUnused)
        {
            return;
        }

        _pending = null;
        _owner = null;
        _cancellation = default;
        _failure = null;
        _outcome = Outcome.None;
        _progress = Progress.None;
        _error = CallError.None;
        _users = Users;
        _isOver = false;
        ReuseRequest();
        ReuseResponse();
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
