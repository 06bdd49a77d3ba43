namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// The steps of a lane's life, at which tests stop or kill a process: see <see cref="LaneFaultPoint"/>.
/// </summary>
internal enum LaneStep
{
    /// <summary>Both sides: the hub has introduced the other process.</summary>
    Introduced,

    /// <summary>The side that connects: there is a connection, and nothing has been written.</summary>
    Connected,

    /// <summary>The side that connects has written its greeting.</summary>
    HelloWritten,

    /// <summary>The side that accepts has read the greeting.</summary>
    HelloRead,

    /// <summary>The side that accepts has answered the greeting.</summary>
    WelcomeWritten,

    /// <summary>Both sides: the lane stands, and carries no route yet.</summary>
    Stands,

    /// <summary>The source has a grant.</summary>
    Granted,

    /// <summary>The target knows the grant.</summary>
    GrantTaken,

    /// <summary>The source has put a fence behind its events for the hub.</summary>
    FencePut,

    /// <summary>The target has the fence, and has answered nothing.</summary>
    FenceTaken,

    /// <summary>The source's route is open. What was held is about to go over the lane.</summary>
    Opened,

    /// <summary>The source has put an event on the lane.</summary>
    EventPut,

    /// <summary>The target has put events of the lane into the queue of their machine, and has not said so.</summary>
    EventTaken,

    /// <summary>The source waits for the answers to what it wrote to the lane.</summary>
    Draining,

    /// <summary>The source's route has ended, and the hub has not been told.</summary>
    RouteEnded,

    /// <summary>The target takes nothing of the route any more, and has not confirmed that.</summary>
    TargetEnded,

    /// <summary>One side is about to take leave of a lane that nobody uses.</summary>
    LeaveBegun,

    /// <summary>The other side has read that.</summary>
    LeaveTaken,

    /// <summary>Both sides: the lane has ended, and its events have not gone back to the hub.</summary>
    LaneEnded,
}
