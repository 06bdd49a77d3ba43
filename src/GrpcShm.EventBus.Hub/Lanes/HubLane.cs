namespace GrpcShm.EventBus.Lanes;

/// <summary>A connection between the processes of two sessions. The lane table's lock guards it.</summary>
/// <param name="number">Its number, which no other lane of this hub has or has had.</param>
/// <param name="one">One of the two sessions.</param>
/// <param name="other">The other one.</param>
/// <param name="failures">How many lanes of these two could not be connected, one behind the other.</param>
internal sealed class HubLane(ulong number, SessionLanes one, SessionLanes other, int failures)
{
    // One stall of a loaded machine must not count for ever.
    private static readonly TimeSpan FirstRest = TimeSpan.FromMinutes(1);

    // After that the rest does not get longer: about an hour.
    private const int MostDoublings = 6;

    public ulong Number { get; } = number;

    /// <summary>How many lanes could not be connected, up to this one.</summary>
    public int Failures { get; private set; } = failures;

    /// <summary>True if it could not be connected.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>When the two sessions may get another one, in the lane table's time.</summary>
    public long RestsUntil { get; private set; }

    /// <summary>Notes that it could not be connected.</summary>
    public void Fail(long now)
    {
        HasFailed = true;
        RestsUntil = now + ((long)FirstRest.TotalMilliseconds << Math.Min(Failures, MostDoublings));
        Failures++;
    }

    /// <summary>The session at the other end.</summary>
    public SessionLanes Other(SessionLanes end) => end == one ? other : one;
}
