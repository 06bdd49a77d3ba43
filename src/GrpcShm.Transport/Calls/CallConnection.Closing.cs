using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>Keep-alive, going away, and the end.</summary>
internal sealed partial class CallConnection
{
    private TaskCompletionSource? _ping;
    private ulong _pingNumber;
    private bool _isGoingAway;
    private bool _isEnded;

    /// <summary>Says that no new calls are taken; those under way go on. On a server, once.</summary>
    public void GoAway()
    {
        if (!Interlocked.Exchange(ref _isGoingAway, true))
        {
            FaultPoint.Reach(FaultStep.GoingAway);
            SendControl(FrameType.GoAway, 0);
            FaultPoint.Reach(FaultStep.GoneAway);
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
            number = ++_pingNumber;
        }

        SendControl(FrameType.Ping, number);
        return ping.Task;
    }

    private void AnswerPing(ulong number)
    {
        lock (_controlGate)
        {
            // Only the last one, if the peer asks without reading the answers.
            _owesPong = true;
            _pong = number;
        }

        FlushControl();
    }

    private void ReceivePong(ulong number)
    {
        TaskCompletionSource? ping;
        lock (_controlGate)
        {
            ping = number == _pingNumber ? _ping : null;
            _ping = ping is null ? _ping : null;
        }

        ping?.TrySetResult();
    }

    /// <summary>Ends all calls. By the thread that has the turn, which nobody gets after it.</summary>
    private void End(Exception failure)
    {
        Interlocked.Exchange(ref _turn, Sealed);
        TaskCompletionSource? ping;
        lock (_controlGate)
        {
            // From here on the connection itself sends nothing, and below each call neither: then the memory may go.
            _isEnded = true;
            ping = _ping;
            _ping = null;
        }

        foreach (var call in _calls.Close())
        {
            try
            {
                call.Lose(failure);
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
