namespace GrpcShm.Transport.Calls;

/// <summary>
/// How far the reader and the writer of a call have been told that it has failed. Where somebody else has to know
/// before them, as a token of whoever uses the call, the failure is noted first and told later. Under the gate of the
/// call.
/// </summary>
internal sealed class FailureNotice
{
    private Stage _stage;

    private enum Stage
    {
        None,

        // The connection is lost, and what the owner of the call makes of that is about to be said.
        Expected,

        // Reader and writer learn of it when it is told.
        Noted,
        Told,
    }

    /// <summary>
    /// Whether the call has failed and nobody has been told: whoever writes waits until that is told.
    /// </summary>
    public bool IsPending => _stage is Stage.Expected or Stage.Noted;

    /// <summary>A failure will be told, or noted, in a moment.</summary>
    public void Expect()
    {
        if (_stage == Stage.None)
        {
            _stage = Stage.Expected;
        }
    }

    /// <summary>There is a failure, which is told later. One that has been told stays told.</summary>
    public void Note()
    {
        if (_stage != Stage.Told)
        {
            _stage = Stage.Noted;
        }
    }

    /// <summary>Reader and writer are told now.</summary>
    public void Tell() => _stage = Stage.Told;

    /// <summary>Tells reader and writer now, unless somebody has noted the failure, and tells it later.</summary>
    /// <returns>Whether they are told.</returns>
    public bool TryTell()
    {
        if (_stage == Stage.Noted)
        {
            return false;
        }

        _stage = Stage.Told;
        return true;
    }

    /// <summary>Makes it as new.</summary>
    public void Reuse() => _stage = Stage.None;
}
