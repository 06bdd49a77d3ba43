namespace GrpcShm.EventBus.Lanes;

/// <summary>One machine of this client and one that it sends to.</summary>
/// <remarks>The lock of the queue guards it.</remarks>
internal sealed class RoutePair(string source, string target)
{
    public string Source { get; } = source;

    public string Target { get; } = target;

    /// <summary>The route by which its events go, or will go; none if all go to the hub.</summary>
    public SourceRoute? Route { get; set; }

    /// <summary>Since when sends are counted.</summary>
    public long CountedSince { get; set; }

    /// <summary>How many sends went to the hub since then.</summary>
    public int Sends { get; set; }

    /// <summary>When the hub may be asked for a route again.</summary>
    public long AskAgainAt { get; set; }
}
