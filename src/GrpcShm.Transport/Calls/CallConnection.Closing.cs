using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>Keep-alive, going away, and the end.</summary>
internal sealed partial class CallConnection
{
    private TaskCompletionSource? _ping;
    private ulong _pingNumber;
    private bool _isGoingAway;
    private bool _isEnded;

    // The number of the ping that followed the going away. Under the control gate.
    private ulong _farewell;

    // Under the control gate: the number of the ping that somebody waits for.
    private ulong _pendingPing;
    private bool _takesNone;

    // On a client that has been told of the going away: a ping whose answer has to wait. Only for the thread that receives.
    private ulong? _heldPing;

    /// <summary>Whether a server takes no calls any more, since its going away is through.</summary>
    public bool TakesNone => Volatile.Read(ref _takesNone);

    /// <summary>
    /// Says that the client is to begin no calls here any more; those under way go on. On a server, once. Calls that the client began
    /// before it heard of it are still taken: a ping goes behind, and when its answer has come there are no more of them.
    /// </summary>
    public void GoAway()
    {
        if (Interlocked.Exchange(ref _isGoingAway, true))
        {
            return;
        }

        FaultPoint.Reach(FaultStep.GoingAway);
        SendControl(FrameType.GoAway, 0);
        FaultPoint.Reach(FaultStep.GoneAway);
        ulong number;
        lock (_controlGate)
        {
            _farewell = number = ++_pingNumber;
        }

        SendControl(FrameType.Ping, number);
    }

    /// <summary>Takes no calls from now on, be it that the client has not heard of the going away yet. On a server, any thread.</summary>
    public void TakeNone()
    {
        Interlocked.Exchange(ref _takesNone, true);
        GoAway();
        if (ActiveCalls == 0)
        {
            OnIdle?.Invoke();
        }
    }

    /// <summary>
    /// On a client that has been told of the going away: a call has sent its first message, or has left. Any thread, also under
    /// the call's gate.
    /// </summary>
    public void Settled()
    {
        if (IsClient)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Asks the peer for a sign of life.</summary>
    /// <returns>Completes when it came; fails when the connection ends first.</returns>
    /// <remarks>It is answered by the peer's reactor, so it says nothing of the peer's handlers.</remarks>
    public Task PingAsync()
    {
        TaskCompletionSource ping;
        ulong number;
        lock (_controlGate)
        {
            if (_ping is { } pending)
            {
                return pending.Task;
            }

            if (_isEnded)
            {
                return Task.FromException(new IOException("The connection has ended."));
            }

            _ping = ping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _pendingPing = number = ++_pingNumber;
        }

        SendControl(FrameType.Ping, number);
        return ping.Task;
    }

    private void AnswerPing(ulong number)
    {
        if (IsClient && IsGoingAway)
        {
            // Looked at once in this turn, however many of them come: that takes a look at each call.
            _heldPing = number;
            return;
        }

        Answer(number);
    }

    private void Answer(ulong number)
    {
        lock (_controlGate)
        {
            // Only the last one, if the peer asks without reading the answers.
            _owesPong = true;
            _pong = number;
        }

        FlushControl();
    }

    /// <summary>
    /// Answers a ping that came behind the going away, when each call that this client has given an id has sent its
    /// first message: the server takes the answer as the word that there are no more of them. By the thread that receives.
    /// </summary>
    /// <remarks>
    /// No call is added after the going away was noted, which is under the table's lock. One that has not begun is seen so here under
    /// its gate, hence sends later, sees the going away, and signals this connection.
    /// </remarks>
    private void AnswerHeldPing()
    {
        for (var slot = 0; _calls.TryLookAt(slot, out var call); slot++)
        {
            if (call is not null && call.IsYetToBegin(this))
            {
                return;
            }
        }

        var number = _heldPing!.Value;
        _heldPing = null;
        Answer(number);
    }

    private void ReceivePong(ulong number)
    {
        TaskCompletionSource? ping;
        bool isFarewell;
        lock (_controlGate)
        {
            // It may be the answer to a later ping: of several at once the last alone is answered. And that of the farewell may be held
            // back for a while, so the answer to an earlier one is a sign of life, too.
            ping = number >= _pendingPing && number <= _pingNumber ? _ping : null;
            _ping = ping is null ? _ping : null;
            isFarewell = _farewell != 0 && number >= _farewell && number <= _pingNumber;
        }

        ping?.TrySetResult();
        if (isFarewell && !TakesNone)
        {
            TakeNone();
        }
    }

    /// <summary>Ends all calls. By the thread that has the turn, which nobody gets after it.</summary>
    private void End(Exception failure)
    {
        _turn.Seal();
        TaskCompletionSource? ping;
        lock (_controlGate)
        {
            // From here on the connection itself sends nothing, and below each call neither: then the memory may go.
            _isEnded = true;
            ping = _ping;
            _ping = null;
        }

        var loss = LossException(failure);
        foreach (var call in _calls.Close())
        {
            try
            {
                call.Lose(loss);
            }
            catch (Exception exception)
            {
                // A bug of the call's, which must not keep the others waiting for ever. Goes to the connection's owner.
                failure = new AggregateException(failure, exception);
            }
        }

        Budget?.Close();
        ping?.TrySetException(new IOException("The connection has ended.", failure));
        _connection.Detach();
        _connection.Detach();
        _completion.TrySetResult(failure);
    }
}
