using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// How many events the hub may write to one receiver, which is what there is room for: what waits there or is being
/// handled, be it of an earlier session, and what the hub may still write are a window together.
/// </summary>
/// <remarks>All of it under the lock of the receiver that it belongs to.</remarks>
internal sealed class ReceiverWindow(int size)
{
    // The session that was last asked to subscribe, what the hub may still write in it, and the events from the hub, of
    // any session, that have not been handled.
    private SessionLink? _session;
    private long _granted;
    private long _unhandled;

    /// <summary>How many events there is room for in all.</summary>
    public int Size => size;

    /// <summary>
    /// A session is about to write the command that subscribes: what comes in it is allowed by that alone.
    /// </summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        _session = session;
        _granted = Math.Max(0, size - _unhandled);

        // Zero would be no limit; and a hub that does not know the other field lets one through.
        command.Credit = (uint)Math.Max(1, _granted);
        command.StartsWithoutCredit = _granted == 0;
    }

    /// <summary>An event from the hub is there.</summary>
    public void TakeRoom(SessionLink session)
    {
        _unhandled++;

        // What a lost session still brings is not what this one was allowed.
        _granted -= session == _session ? 1 : 0;
    }

    /// <summary>
    /// An event from the hub is done with. Half a window at a time is granted: seldom enough to cost nothing, early
    /// enough that the hub need not pause.
    /// </summary>
    /// <returns>What is to be told to the hub, outside of the lock.</returns>
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
