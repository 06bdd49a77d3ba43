namespace GrpcShm.Transport.Calls;

/// <summary>Counts the bytes that a call may still send, and has sent. Under the gate of the call.</summary>
internal struct SendCredit
{
    public SendCredit()
    {
    }

    /// <summary>How many bytes may be sent.</summary>
    public int Available { get; private set; } = CallSettings.FirstWindow;

    /// <summary>How many bytes have been sent, in all.</summary>
    public long Sent { get; private set; }

    /// <summary>Adds credit that the peer gives.</summary>
    /// <returns>Whether the peer may give so much: the unused credit never exceeds the window.</returns>
    public bool TryAdd(uint count)
    {
        if (count > CallSettings.Window - Available)
        {
            return false;
        }

        Available += (int)count;
        return true;
    }

    /// <summary>Uses credit for data that has been sent.</summary>
    public void Use(int count)
    {
        Available -= count;
        Sent += count;
    }
}
