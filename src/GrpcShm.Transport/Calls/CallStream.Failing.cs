namespace GrpcShm.Transport.Calls;

/// <summary>
/// How reader and writer learn that the call has failed. Where somebody else has to know before them, as a token of whoever uses the
/// call, the failure is noted first and told later.
/// </summary>
internal sealed partial class CallStream
{
    // Under the gate. By then somebody may be the first to tell: whoever writes while it is expected or noted waits for that.
    private Failure _failure;

    private enum Failure
    {
        None,

        // The connection is lost, and what the call makes of that is about to be said.
        Expected,

        // Reader and writer learn of it by TellFailure.
        Noted,
        Told,
    }

    private bool TellsLater => _failure is Failure.Expected or Failure.Noted;

    private void Fail(CallError error, Exception exception, bool byPeer = true)
    {
        if (_hasFailed || (_hasReceivedEnd && Connection.IsClient))
        {
            return;
        }

        _hasFailed = true;
        _owner.OnFailed(error, exception, byPeer);
    }

    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    public void FailBodies(Exception exception, bool byPeer)
    {
        _input.Fail(exception, byPeer);
        TellUnlessNoted();
    }

    /// <summary>
    /// Settles what the reader will be told, and keeps it and the writer waiting until <see cref="TellFailure"/>, which one of those who
    /// note a failure has to call. Of several the first settles the reason; whoever comes when it has been told changes nothing but the
    /// peer's part of it. By one who keeps the call from being used for another.
    /// </summary>
    public void NoteFailure(Exception exception, bool byPeer)
    {
        lock (_gate)
        {
            if (_failure != Failure.Told)
            {
                _failure = Failure.Noted;
            }
        }

        _input.Settle(exception, byPeer);
    }

    /// <summary>Tells the reader and the writer what has been noted. Any thread, by one who keeps the call from being used for another.</summary>
    public void TellFailure()
    {
        _input.ShowFailure();
        lock (_gate)
        {
            _failure = Failure.Told;
            _flush.Wake();
        }
    }

    private void TellUnlessNoted()
    {
        lock (_gate)
        {
            if (_failure != Failure.Noted)
            {
                _failure = Failure.Told;
                _flush.Wake();
            }
        }
    }

    private void WakeFlushUnderGate()
    {
        if (!TellsLater)
        {
            _flush.Wake();
        }
    }
}
