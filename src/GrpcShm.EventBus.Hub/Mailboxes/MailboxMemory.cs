using GrpcShm.EventBus.Budgets;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// The bytes that one mailbox holds, within its own bound and that of its session. The mailbox's lock guards it.
/// </summary>
/// <remarks>
/// The session's bound is one counter for many mailboxes, and the hub's bound one for all. So that they are touched
/// seldom, a mailbox takes bytes of them in pieces, and the bytes of a short queue are free. It is a part of its
/// mailbox, since there may be very many of them, and is not copied.
/// </remarks>
internal struct MailboxMemory(long most, Quota? quota)
{
    private const long Free = 16 * 1024;
    private const long Piece = 64 * 1024;

    private long _used;
    private long _taken;

    /// <summary>Adds an event's bytes, if there is room.</summary>
    public bool TryAdd(long bytes)
    {
        var used = _used + bytes;
        if (used > most && _used > 0)
        {
            return false;
        }

        var missing = used - Free - _taken;
        if (missing > 0 && quota is not null)
        {
            var piece = (missing + Piece - 1) / Piece * Piece;
            if (quota.Take(piece) is null)
            {
                _taken += piece;
            }
            else if (quota.Take(missing) is null)
            {
                _taken += missing;
            }
            else
            {
                return false;
            }
        }

        _used = used;
        return true;
    }

    /// <summary>Adds the bytes of an event that was accepted already.</summary>
    public void Add(long bytes)
    {
        _used += bytes;
        if (_used - Free - _taken is > 0 and var missing)
        {
            quota?.Force(missing);
            _taken += missing;
        }
    }

    public void Remove(long bytes) => _used -= bytes;

    /// <summary>Gives back bytes that are no longer needed.</summary>
    public void Trim()
    {
        // Not each time: the need mostly goes up again.
        var needed = Math.Max(0, _used - Free);
        if (_taken > 0 && (_used == 0 || _taken - needed >= 16 * Piece))
        {
            quota?.Give(_taken - needed);
            _taken = needed;
        }
    }
}
