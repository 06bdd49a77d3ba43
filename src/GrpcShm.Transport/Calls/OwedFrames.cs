namespace GrpcShm.Transport.Calls;

/// <summary>
/// The frames besides messages that a call has to send as soon as there is room. Under the gate of the call.
/// </summary>
internal struct OwedFrames
{
    private CallError _error;
    private int _credit;

    /// <summary>Whether the call is given up, and its reset waits for room.</summary>
    public bool HasReset { get; private set; }

    /// <summary>Notes that a reset has to be sent, since the call is given up.</summary>
    public void OweReset(CallError error)
    {
        HasReset = true;
        _error = error;
    }

    /// <summary>Notes that credit has to be sent. Several pieces go in one frame if there is no room
    /// meanwhile.</summary>
    public void OweCredit(int count) => _credit += count;

    /// <summary>Finds the next frame. Nothing is sent behind a reset.</summary>
    /// <param name="takesCredit">Whether the peer can still use credit.</param>
    /// <param name="type">The type of the frame.</param>
    /// <param name="argument">Its argument.</param>
    /// <returns>Whether there is a frame.</returns>
    public readonly bool TryPeek(bool takesCredit, out FrameType type, out uint argument)
    {
        if (HasReset)
        {
            (type, argument) = (FrameType.Reset, (uint)_error);
            return true;
        }

        (type, argument) = (FrameType.Credit, (uint)_credit);
        return takesCredit && _credit > 0;
    }

    /// <summary>Notes that a frame which was found has been sent.</summary>
    public void Settle(FrameType type)
    {
        if (type == FrameType.Reset)
        {
            HasReset = false;
        }
        else
        {
            _credit = 0;
        }
    }
}
