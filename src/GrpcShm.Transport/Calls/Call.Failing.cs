namespace GrpcShm.Transport.Calls;

/// <summary>
/// How reader and writer learn that the call has failed. Where somebody else has to know before them, as a token of whoever uses the
/// call, the failure is noted first and told later.
/// </summary>
internal abstract partial class Call
{
    // Under the gate: the call has failed, and a writer that waits learns of it by TellFailure.
    private bool _tellsLater;

    private void Fail(CallError error, Exception exception, bool byPeer = true)
    {
        if (_hasFailed || (_hasReceivedEnd && Connection.IsClient))
        {
            return;
        }

        _hasFailed = true;
        OnFailed(error, exception, byPeer);
    }

    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    protected void FailBodies(Exception exception, bool byPeer)
    {
        _input.Fail(exception, byPeer);
        WakeFlush();
    }

    /// <summary>
    /// Settles what the reader will be told, and keeps it and the writer waiting until <see cref="TellFailure"/>. Once for a call, by one
    /// who keeps it from being used for another.
    /// </summary>
    protected void NoteFailure(Exception exception, bool byPeer)
    {
        lock (_gate)
        {
            _tellsLater = true;
        }

        _input.Settle(exception, byPeer);
    }

    /// <summary>The call has failed again, and only the peer's part of it is news.</summary>
    protected void NoteFailureAgain(Exception exception, bool byPeer) => _input.Settle(exception, byPeer);

    /// <summary>Tells the reader and the writer what has been noted. Any thread, by one who keeps the call from being used for another.</summary>
    protected void TellFailure()
    {
        _input.ShowFailure();
        lock (_gate)
        {
            _tellsLater = false;
            _flush.Wake();
        }
    }

    private void WakeFlush()
    {
        lock (_gate)
        {
            WakeFlushUnderGate();
        }
    }

    private void WakeFlushUnderGate()
    {
        if (!_tellsLater)
        {
            _flush.Wake();
        }
    }
}
