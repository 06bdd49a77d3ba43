using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>What is left to do when the lock of the queue has been given back. It is used again and again.</summary>
internal sealed class RouteEffects
{
    /// <summary>The events that the other side answered, with the outcome; none for success without a result.</summary>
    public List<(PendingEvent Event, Outcome? Outcome)> Answered { get; } = [];

    /// <summary>The events that end without an answer.</summary>
    public List<(PendingEvent Event, EventBusException Reason)> Failed { get; } = [];

    /// <summary>The events whose deadline this process has to watch from now on.</summary>
    public List<PendingEvent> Watched { get; } = [];

    /// <summary>What the hub is to be told, outside of the order of commands.</summary>
    public List<SessionCommand> Notes { get; } = [];

    /// <summary>
    /// The session of whose routes the hub is told. Another hub may have given their numbers to others. None if there
    /// is no session.
    /// </summary>
    public object? Session { get; set; }

    /// <summary>The lanes whose writers have something to write.</summary>
    public List<LaneOutbox> Wakes { get; } = [];

    /// <summary>The lanes that are of no use any more.</summary>
    public List<LaneOutbox> Broken { get; } = [];

    /// <summary>The lanes that are to end, since nobody uses them.</summary>
    public List<LaneOutbox> Idle { get; } = [];

    /// <summary>True if the queue to the hub got commands.</summary>
    public bool WakesHub { get; set; }

    /// <summary>When <see cref="RouteTable.Expire"/> has something to do at the earliest.</summary>
    public long Due { get; set; } = long.MaxValue;

    /// <summary>True if no route is left of a client that is about to disconnect.</summary>
    public bool HasLeft { get; set; }

    /// <summary>How many events lanes carried.</summary>
    public int Carried { get; set; }

    /// <summary>True if there is nothing to do.</summary>
    public bool IsEmpty => Answered.Count == 0 && Failed.Count == 0 && Watched.Count == 0 && Notes.Count == 0
        && Wakes.Count == 0 && Broken.Count == 0 && Idle.Count == 0 && !WakesHub && Due == long.MaxValue
        && Carried == 0 && !HasLeft;

    public void Clear()
    {
        Answered.Clear();
        Failed.Clear();
        Watched.Clear();
        Notes.Clear();
        Wakes.Clear();
        Broken.Clear();
        Idle.Clear();
        (Session, WakesHub, HasLeft, Due, Carried) = (null, false, false, long.MaxValue, 0);
    }
}
