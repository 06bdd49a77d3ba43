namespace GrpcShm.EventBus.Lanes;

/// <summary>How far a route is, at its source.</summary>
internal enum RouteState
{
    /// <summary>The hub was asked for it, or the lane is being connected. Events go to the hub.</summary>
    Requested,

    /// <summary>The fence is on its way behind the events that went to the hub. Events are held.</summary>
    Fencing,

    /// <summary>Events go over the lane, or are held while there is no credit.</summary>
    Open,

    /// <summary>The route ends. Events are held until those that went over the lane are answered.</summary>
    Draining,

    /// <summary>It has ended, and never begins again.</summary>
    Closed,
}
