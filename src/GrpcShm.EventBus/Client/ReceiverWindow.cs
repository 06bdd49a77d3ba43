using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// How many events the hub may write to one receiver. The events that wait there or are being handled, those of an
/// earlier session included, and the events that the hub may still write are one window together.
/// </summary>
/// <remarks>The lock of its receiver guards all of it.</remarks>
internal sealed class ReceiverWindow(int size)
{
    // The session that was last asked to subscribe; how many events the hub may still write in it; how many events from
    // the hub, of any session, have not been handled.
    private SessionLink? _session;
    private long _granted;
    private long _unhandled;

    /// <summary>For how many events there is room in all.</summary>
    public int Size => size;

    /// <summary>
    /// Notes that a session is about to write the command that subscribes. Only this command allows events in that
    /// session.
    /// </summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        _session = session;
        _granted = Math.Max(0, size - _unhandled);

        // Zero would mean no limit. A hub that does not know the other field lets one event through.
        command.Credit = (uint)Math.Max(1, _granted);
        command.StartsWithoutCredit = _granted == 0;
    }

    /// <summary>Notes that an event from the hub has come.</summary>
    public void TakeRoom(SessionLink session)
    {
        _unhandled++;

        // Events that a lost session still brings do not count as events of the current one.
        _granted -= session == _session ? 1 : 0;
    }

    /// <summary>
    /// Notes that an event from the hub is done with. Half a window is granted at a time: seldom enough to cost
    /// nothing, early enough that the hub need not pause.
    /// </summary>
    /// <returns>The grant of which the caller tells the hub, outside of the lock.</returns>
    public RoomGrant GiveRoom(uint subscription)
    {
        _unhandled--;
        var room = size - _unhandled - _granted;
        if (room < (size + 1) / 2 || _session is null or { HasEnded: true })
        {
            return default;
        }

        _granted += room;
        return new RoomGrant(_session, new Credit { Subscription = subscription, Deliveries = (uint)room });
    }
}
