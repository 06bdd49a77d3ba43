namespace GrpcShm.EventBus.Lanes;

/// <summary>What a lane has of this side's events after some were taken.</summary>
internal enum LaneSends
{
    /// <summary>None is on the lane, and none waits for an answer.</summary>
    Idle,

    /// <summary>Some are left, or wait for answers.</summary>
    Busy,

    /// <summary>None was taken, since the next one is too large to go with others.</summary>
    LargeNext,
}
