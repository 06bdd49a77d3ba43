using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// How many events the hub may write to one receiver. The events that wait there or are being handled, those of an
/// earlier session included, and the events that the hub may still write are one window together.
/// </summary>
/// <remarks>
/// The lock of its receiver guards all of it. Routes past the hub have shares of it, which the hub has given up: room
/// that an event leaves goes back to the way by which the event came.
/// </remarks>
internal sealed class ReceiverWindow(int size)
{
    // The session that was last asked to subscribe; how many events the hub may still write in it; how many events from
    // the hub, of any session, have not been handled.
    private SessionLink? _session;
    private long _granted;
    private long _unhandled;

    // What is left for the hub. All routes together leave it half of the window at least: publications, and events that
    // have no route, have no other way.
    private readonly long _leastShare = Math.Max(1, size / 2);
    private long _share = size;

    /// <summary>For how many events there is room in all.</summary>
    public int Size => size;

    /// <summary>
    /// Notes that a session is about to write the command that subscribes. Only this command allows events in that
    /// session.
    /// </summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        _session = session;
        _granted = Math.Max(0, _share - _unhandled);

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

    /// <summary>Notes that an event has come over a lane.</summary>
    /// <returns>False if there is no room for it.</returns>
    public static bool TryTakeRoom(TargetRoute route)
    {
        if (route.Granted == 0)
        {
            return false;
        }

        route.Granted--;
        route.Unhandled++;
        return true;
    }

    /// <summary>
    /// Notes that an event is done with. Half a share is granted at a time: seldom enough to cost nothing, early enough
    /// that the other side need not pause.
    /// </summary>
    /// <param name="subscription">The receiver's number.</param>
    /// <param name="route">The route by which it came; none if it came from the hub.</param>
    /// <returns>The grant of which the caller tells the other side, outside of the lock.</returns>
    public RoomGrant GiveRoom(uint subscription, TargetRoute? route = null)
    {
        if (route is null or { IsOver: true })
        {
            _unhandled--;
            return GiveToHub(subscription);
        }

        route.Unhandled--;
        var room = route.Share - route.Granted - route.Unhandled;
        if (room < (route.Share + 1) / 2)
        {
            return default;
        }

        route.Granted += room;
        return new RoomGrant(null, route, new Credit { Subscription = route.Number, Deliveries = (uint)room });
    }

    /// <summary>Lets a route have a share that the hub has given up.</summary>
    /// <returns>How much that is.</returns>
    public int Add(TargetRoute route, uint credit)
    {
        // A hub gives up what it has. Half of what may be given up stays for further routes.
        var most = Math.Min(Math.Max(0, _granted), (_share - _leastShare + 1) / 2);
        var taken = (int)Math.Min(credit, most);
        _granted -= taken;
        _share -= taken;
        route.Share += taken;
        route.Granted += taken;
        return taken;
    }

    /// <summary>Gives the share of a route that has ended back to the hub.</summary>
    /// <returns>The grant of which the caller tells the hub, outside of the lock.</returns>
    public RoomGrant Remove(TargetRoute route, uint subscription)
    {
        _share += route.Share;
        _unhandled += route.Unhandled;
        (route.Share, route.Granted, route.Unhandled) = (0, 0, 0);
        return GiveToHub(subscription);
    }

    private RoomGrant GiveToHub(uint subscription)
    {
        var room = _share - _unhandled - _granted;
        if (room < (_share + 1) / 2 || _session is null or { HasEnded: true })
        {
            return default;
        }

        _granted += room;
        return new RoomGrant(_session, null, new Credit { Subscription = subscription, Deliveries = (uint)room });
    }
}
