namespace GrpcShm.EventBus.Lanes;

/// <summary>A connection between the processes of two sessions. The lane table's lock guards it.</summary>
/// <param name="number">Its number, which no other lane of this hub has or has had.</param>
/// <param name="one">One of the two sessions.</param>
/// <param name="other">The other one.</param>
internal sealed class HubLane(ulong number, SessionLanes one, SessionLanes other)
{
    public ulong Number { get; } = number;

    /// <summary>True if it could not be connected. These two sessions get no other one.</summary>
    public bool HasFailed { get; set; }

    /// <summary>The session at the other end.</summary>
    public SessionLanes Other(SessionLanes end) => end == one ? other : one;
}
