namespace GrpcShm.Transport.Calls;

/// <summary>How much data a call may still send, and how much it has sent. Under the gate of the call.</summary>
internal struct SendCredit
{
    public SendCredit()
    {
    }

    /// <summary>How many bytes may be sent.</summary>
    public int Available { get; private set; } = CallSettings.FirstWindow;

    /// <summary>How many bytes have been sent, in all.</summary>
    public long Sent { get; private set; }

    /// <summary>The peer gives credit.</summary>
    /// <returns>Whether the peer may give so much: less is unused than the window, at any time.</returns>
    public bool TryAdd(uint count)
    {
        if (count > CallSettings.Window - Available)
        {
            return false;
        }

        Available += (int)count;
        return true;
    }

    /// <summary>Data has been sent.</summary>
    public void Use(int count)
    {
        Available -= count;
        Sent += count;
    }
}
