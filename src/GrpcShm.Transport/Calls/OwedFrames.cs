namespace GrpcShm.Transport.Calls;

/// <summary>
/// What a call has to tell its peer besides messages, as soon as there is room. Under the gate of the call.
/// </summary>
internal struct OwedFrames
{
    private CallError _error;
    private int _credit;

    /// <summary>Whether the call is given up, and the word on that waits for room.</summary>
    public bool HasReset { get; private set; }

    /// <summary>The call is given up.</summary>
    public void OweReset(CallError error)
    {
        HasReset = true;
        _error = error;
    }

    /// <summary>The peer may send more. Several pieces go in one frame, if there is no room meanwhile.</summary>
    public void OweCredit(int count) => _credit += count;

    /// <summary>Finds the next frame. Behind a reset nothing goes.</summary>
    /// <param name="takesCredit">Whether the peer has a use for credit still.</param>
    /// <param name="type">The type of the frame.</param>
    /// <param name="argument">Its argument.</param>
    /// <returns>Whether there is one.</returns>
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

    /// <summary>A frame that was found has been sent.</summary>
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
