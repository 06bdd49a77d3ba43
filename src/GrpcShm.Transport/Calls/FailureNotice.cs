namespace GrpcShm.Transport.Calls;

/// <summary>
/// Says whether the reader and the writer of a call have been told that the call has failed. If others have to know of
/// the failure first (for example a token that the call's user holds), the failure is noted first and told later. Under
/// the gate of the call.
/// </summary>
internal sealed class FailureNotice
{
    private Stage _stage;

    private enum Stage
    {
        None,

        // The connection is lost, and the call's owner is about to note or tell the failure.
        Expected,

        // Reader and writer learn of the failure when it is told.
        Noted,
        Told,
    }

    /// <summary>
    /// Whether the call has failed and nobody has been told: a writer waits until the failure is told.
    /// </summary>
    public bool IsPending => _stage is Stage.Expected or Stage.Noted;

    /// <summary>Says that a failure will be told, or noted, in a moment.</summary>
    public void Expect()
    {
        if (_stage == Stage.None)
        {
            _stage = Stage.Expected;
        }
    }

    /// <summary>Notes a failure, which is told later. A failure that has been told stays told.</summary>
    public void Note()
    {
        if (_stage != Stage.Told)
        {
            _stage = Stage.Noted;
        }
    }

    /// <summary>Says that reader and writer are told now.</summary>
    public void Tell() => _stage = Stage.Told;

    /// <summary>Says that reader and writer are told now, unless the failure has been noted, to be told
    /// later.</summary>
    /// <returns>Whether they have to be told.</returns>
    public bool TryTell()
    {
        if (_stage == Stage.Noted)
        {
            return false;
        }

        _stage = Stage.Told;
        return true;
    }

    /// <summary>Resets it for the next call.</summary>
    public void Reuse() => _stage = Stage.None;
}
