namespace GrpcShm.Transport.Calls;

/// <summary>
/// What a change of a call's <see cref="ReceiveCredit"/> means for others. It is collected under the gate of the
/// call's input, and told by the same thread when that gate has been left.
/// </summary>
internal struct CreditNews
{
    /// <summary>
    /// How much more the peer is to be told to send; less than zero if the reader keeps more than it may.
    /// </summary>
    public int Granted;

    /// <summary>The id of the call: the object may be used for another call when the news is told.</summary>
    public uint Id;

    /// <summary>The connection of the call.</summary>
    public CallConnection? Carrier;

    /// <summary>True if other calls may go on.</summary>
    public bool HasReleased;

    /// <summary>True if the first window is given back.</summary>
    public bool HasLeft;

    /// <summary>Tells the peer and the other calls. Not under the gate.</summary>
    /// <param name="call">The call.</param>
    public readonly void Tell(CallStream call)
    {
        if (this is { Granted: 0, HasLeft: false, HasReleased: false } || Carrier is not { } carrier)
        {
            return;
        }

        if (Granted > 0)
        {
            call.GiveCredit(carrier, Id, Granted);
        }

        if (HasLeft)
        {
            carrier.Budget!.Leave();
        }

        if (HasReleased)
        {
            carrier.Budget!.GrantWaiting();
        }

        if (Granted < 0)
        {
            call.RefuseMore(carrier, Id);
        }
    }
}
