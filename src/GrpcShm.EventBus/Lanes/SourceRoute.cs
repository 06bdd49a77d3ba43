using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus.Lanes;

/// <summary>One route at its source, from the request to its end.</summary>
/// <remarks>The lock of the queue guards it.</remarks>
internal sealed class SourceRoute(RoutePair pair)
{
    public RoutePair Pair { get; } = pair;

    public RouteState State { get; set; } = RouteState.Requested;

    /// <summary>The number that the hub has given it; zero before the grant.</summary>
    public uint Number { get; set; }

    /// <summary>The number that receivers see as the sender's.</summary>
    public ulong Stamp { get; set; }

    /// <summary>The most bytes that an event may have, encoded.</summary>
    public uint MaxEventSize { get; set; }

    public LaneOutbox? Lane { get; set; }

    /// <summary>How many events more the target takes.</summary>
    public long Credit { get; set; }

    /// <summary>How many events were put on the lane and are not answered: neither accepted nor refused.</summary>
    public int Tail { get; set; }

    /// <summary>The number of its last event on the lane.</summary>
    public ulong LastNumber { get; set; }

    /// <summary>Since when the event with the number <see cref="TailMark"/> has to be answered.</summary>
    public long TailSince { get; set; }

    /// <summary>The number of an event on the lane by which the other side is judged: see the other property.</summary>
    public ulong TailMark { get; set; }

    /// <summary>The events that the lane gave back, in order. The hub gets them before those that are held.</summary>
    public List<PendingEvent> Returned { get; } = [];

    /// <summary>The events that wait, in order.</summary>
    public Queue<PendingEvent> Held { get; } = new();

    /// <summary>Since when there are some, and none of them went over the lane.</summary>
    public long HeldSince { get; set; }

    /// <summary>When an event of it was answered for the last time, or it opened.</summary>
    public long UsedAt { get; set; }

    /// <summary>Since when it ends.</summary>
    public long DrainingSince { get; set; }

    /// <summary>The command that waits until this route has ended; or none.</summary>
    public QueueBarrier? Barrier { get; set; }

    /// <summary>How many events the lane carried of which the hub has not been told.</summary>
    public ulong Unreported { get; set; }
}
