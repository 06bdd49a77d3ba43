namespace GrpcShm.Transport.Calls;

/// <summary>
/// What a call waits for its peer for, and for how long. Of interest where there are time limits: on a server.
/// </summary>
/// <remarks>
/// The time is the connection's <see cref="CallConnection.Clock"/>, which only the heartbeat sets. So who begins to
/// wait notes a number that is there already (<see cref="BlockAssembly"/>, <see cref="ReceivedBody"/>), and nobody else
/// does anything for time limits. The heartbeat reads such a number without a lock, an old one or a new one: what has
/// only just begun to wait is not overdue by any of them.
/// </remarks>
internal sealed class CallWaits(ICallStreamOwner owner, CallLife life, SendingHalf sending, ReceivingHalf receiving)
{
    // By the heartbeat, under the gate of the call.
    private PeerWaits _waits;

    /// <summary>Looks how long the call has been waiting. By the heartbeat, without locks of its own.</summary>
    /// <param name="connection">The connection on whose behalf.</param>
    /// <param name="last">When it looked before.</param>
    /// <param name="limits">How long the call may wait.</param>
    /// <param name="overdue">What the call has waited for too long.</param>
    /// <returns>Whether this side has not ended the call yet.</returns>
    public bool Look(CallConnection connection, long last, CallTimeLimits limits, out Overdue overdue)
    {
        uint id;
        lock (life.Gate)
        {
            overdue = Overdue.None;
            if (!life.IsOnAt(connection) || life.HasSentEnd)
            {
                return false;
            }

            if (sending.OwesReset)
            {
                // It has been given up, and its end waits for room, which is the connection's affair.
                return true;
            }

            id = life.Id;
            overdue = FindOverdue(last, connection.Clock, limits);
        }

        if (overdue != Overdue.None)
        {
            owner.OnOverdue(overdue, id);
        }

        return true;
    }

    /// <summary>Makes it as new. The call has to have left.</summary>
    public void Reuse() => _waits = default;

    private Overdue FindOverdue(long last, long clock, CallTimeLimits limits)
    {
        if (limits.Block is { } block && receiving.IsBlockOverdue(clock, block))
        {
            return Overdue.Block;
        }

        if (limits.Received is { } received && IsDataAwaited(last)
            && _waits.IsDataOverdue(clock - last, receiving.Input.Received, received))
        {
            return Overdue.Data;
        }

        // Who waits for room waits for the whole connection's receiver, which the connection looks at.
        var waitsForCredit = sending.HasUnsent && !life.Connection.IsWaitingForRoom(life.Id);
        return limits.Sent is { } sent && _waits.IsCreditOverdue(clock, waitsForCredit, sending.SentBytes, sent)
            ? Overdue.Credit
            : Overdue.None;
    }

    /// <summary>
    /// Whether a reader has waited since the heartbeat before. A peer that has no credit is not to blame.
    /// </summary>
    private bool IsDataAwaited(long last)
    {
        var input = receiving.Input;
        return owner.IsInputTimed && !life.HasReceivedEnd && input.IsAwaitedSince(last) && input.HasCredit;
    }
}
