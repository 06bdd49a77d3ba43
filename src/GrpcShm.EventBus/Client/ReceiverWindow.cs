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
    private readonly long _leastShare = (size + 1) / 2;
    private long _share = size;

    // Less of the window is not worth a route: the events would wait for room one by one.
    private const int SmallestPart = 64;

    // The routes that have not got their whole part, in the order in which they began, and how much that is in all.
    private readonly Queue<TargetRoute> _waiting = new();
    private long _owed;

    /// <summary>For how many events there is room in all.</summary>
    public int Size => size;

    /// <summary>
    /// Notes that a session is about to write the command that subscribes. Only this command allows events in that
    /// session.
    /// </summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        _session = session;
        _granted = Math.Max(0, _share - _owed - _unhandled);

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
            return Give(subscription);
        }

        route.Unhandled--;
        var room = route.Share - route.Granted - route.Unhandled;
        if (room < (route.Share + 1) / 2)
        {
            return default;
        }

        route.Granted += room;
        return new RoomGrant
        {
            Route = route,
            RouteCredit = new Credit { Subscription = route.Number, Deliveries = (uint)room },
        };
    }

    /// <summary>
    /// Lets a route have a part of the window: half of what others have left of the half that routes may have. A busy
    /// hub has little to give up, so the route gets what there is at once, and the rest from the room that events of
    /// the hub leave.
    /// </summary>
    /// <param name="route">The route, whose fence has come.</param>
    /// <param name="credit">How much the hub has given up.</param>
    /// <returns>
    /// How much the route has at once, and how much of that the hub has given up. The hub gets back what is left of the
    /// credit. None if too little is left to share: the route gets nothing.
    /// </returns>
    public (int Room, int OfTheHub)? Add(TargetRoute route, uint credit)
    {
        var part = (_share - _owed - _leastShare + 1) / 2;
        if (part < Math.Max(1, size / SmallestPart))
        {
            return null;
        }

        // A hub gives up what it has.
        var given = Math.Min(credit, Math.Max(0, _granted));
        var free = Math.Max(0, _share - _owed - _unhandled - _granted);
        var taken = Math.Min(part, given + free);
        var ofTheHub = Math.Min(given, taken);
        _granted -= ofTheHub;
        Move(taken, route);
        if (taken < part)
        {
            route.Owed = part - taken;
            _owed += route.Owed;
            _waiting.Enqueue(route);
        }

        return ((int)taken, (int)ofTheHub);
    }

    /// <summary>Gives the share of a route that has ended back to the hub.</summary>
    /// <returns>The grant of which the caller tells the hub, outside of the lock.</returns>
    public RoomGrant Remove(TargetRoute route, uint subscription)
    {
        _share += route.Share;
        _unhandled += route.Unhandled;
        _owed -= route.Owed;
        (route.Share, route.Granted, route.Unhandled, route.Owed) = (0, 0, 0, 0);
        return Give(subscription);
    }

    private RoomGrant Give(uint subscription)
    {
        var grant = default(RoomGrant);
        if (_waiting.Count > 0)
        {
            grant = Pay();
        }

        // What is owed is not the hub's.
        var share = _share - _owed;
        var room = share - _unhandled - _granted;
        if (room < (share + 1) / 2 || _session is null or { HasEnded: true })
        {
            return grant;
        }

        _granted += room;
        var credit = new Credit { Subscription = subscription, Deliveries = (uint)room };
        return grant with { Session = _session, Credit = credit };
    }

    // Half of what is owed at a time, for the same reason as other room.
    private RoomGrant Pay()
    {
        while (_waiting.TryPeek(out var route))
        {
            if (route.Owed == 0)
            {
                // It has ended.
                _waiting.Dequeue();
                continue;
            }

            // Events that a lost session still brings may leave less than no room.
            var room = Math.Min(route.Owed, _share - _unhandled - _granted);
            if (room < (route.Owed + 1) / 2)
            {
                break;
            }

            _owed -= room;
            route.Owed -= room;
            if (route.Owed == 0)
            {
                _waiting.Dequeue();
            }

            Move(room, route);
            var credit = new Credit { Subscription = route.Number, Deliveries = (uint)room };
            return new RoomGrant { Route = route, RouteCredit = credit };
        }

        return default;
    }

    private void Move(long room, TargetRoute route)
    {
        _share -= room;
        route.Share += (int)room;
        route.Granted += (int)room;
    }
}
