namespace GrpcShm.Transport.Calls;

/// <summary>
/// Knows for what a call waits for its peer, and how long. Used only if there are time limits: on a server.
/// </summary>
/// <remarks>
/// The time is the connection's <see cref="CallConnection.Clock"/>, which only the heartbeat sets. So a thread that
/// begins to wait notes a number that is there already (<see cref="BlockAssembly"/>, <see cref="ReceivedBody"/>), and
/// no other code does anything for time limits. The heartbeat reads such a number without a lock, and may read an old
/// or a new one: a wait that has only just begun is overdue by neither.
/// </remarks>
internal sealed class CallWaits(ICallStreamOwner owner, CallLife life, SendingHalf sending, ReceivingHalf receiving)
{
    // By the heartbeat, under the gate of the call.
    private PeerWaits _waits;

    /// <summary>Looks how long the call has been waiting. By the heartbeat, without locks of its own.</summary>
    /// <param name="connection">The connection whose heartbeat looks.</param>
    /// <param name="last">The time of the heartbeat before.</param>
    /// <param name="limits">How long the call may wait.</param>
    /// <param name="overdue">The thing for which the call has waited too long.</param>
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
                // The call has been given up, and its reset waits for room; the connection watches that.
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

    /// <summary>Resets it for the next call. The call has to have left.</summary>
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

        // A call that waits for room waits for the receiver of the whole connection; the connection watches that.
        var waitsForCredit = sending.HasUnsent && !life.Connection.IsWaitingForRoom(life.Id);
        return limits.Sent is { } sent && _waits.IsCreditOverdue(clock, waitsForCredit, sending.SentBytes, sent)
            ? Overdue.Credit
            : Overdue.None;
    }

    /// <summary>
    /// Whether a reader has waited since the heartbeat before. A peer without credit is not to blame.
    /// </summary>
    private bool IsDataAwaited(long last)
    {
        var input = receiving.Input;
        return owner.IsInputTimed && !life.HasReceivedEnd && input.IsAwaitedSince(last) && input.HasCredit;
    }
}
