using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// How many events the hub may write, which is what there is room for: what waits here or is being handled, be it of an
// earlier session, and what the hub may still write are a window together.
internal sealed partial class EventReceiver
{
    // All three under the lock: the session that was last asked to subscribe, what the hub may still write in it, and
    // the events from the hub, of any session, that have not been handled.
    private SessionLink? _session;
    private long _granted;
    private long _unhandled;

    /// <summary>
    /// A session is about to write the command that subscribes: what comes in it is allowed by that alone.
    /// </summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        lock (_lock)
        {
            _session = session;
            _granted = Math.Max(0, _window - _unhandled);

            // Zero would be no limit; and a hub that does not know the other field lets one through.
            command.Credit = (uint)Math.Max(1, _granted);
            command.StartsWithoutCredit = _granted == 0;
        }
    }

    // Under the lock: an event from the hub is there.
    private void TakeRoom(SessionLink session)
    {
        _unhandled++;

        // What a lost session still brings is not what this one was allowed.
        _granted -= session == _session ? 1 : 0;
    }

    // Under the lock: an event from the hub is done with. Half a window at a time: seldom enough to cost nothing, early
    // enough that the hub need not pause.
    private Credit? GiveRoom(out SessionLink? session)
    {
        _unhandled--;
        session = _session;
        var room = _window - _unhandled - _granted;
        if (room < (_window + 1) / 2 || session is null or { HasEnded: true })
        {
            return null;
        }

        _granted += room;
        return new Credit { Subscription = Number, Deliveries = (uint)room };
    }

    private static void Grant(SessionLink? session, Credit? credit)
    {
        if (credit is not null)
        {
            session!.Note(new SessionCommand { Grant = credit });
        }
    }
}
