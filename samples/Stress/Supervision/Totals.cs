namespace Samples.Stress.Supervision;

/// <summary>The totals of all events at one moment.</summary>
internal readonly record struct Totals
{
    /// <summary>Events passed to the bus, including events that were sent again.</summary>
    public required long Sent { get; init; }

    /// <summary>Events passed to the bus again.</summary>
    public required long SentAgain { get; init; }

    /// <summary>Events acknowledged to their producers.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Events processed by their consumers, once each.</summary>
    public required long Processed { get; init; }

    /// <summary>
    /// Events acknowledged to their producers and not processed by their consumers: must be 0 at any moment.
    /// </summary>
    public required long Lost { get; init; }

    /// <summary>Sends that failed, and whose events were sent again.</summary>
    public required long Failed { get; init; }

    /// <summary>Events that went over lanes, past the hub.</summary>
    public required long OverLanes { get; init; }

    /// <summary>Sends that were never answered: must be 0.</summary>
    public required long Hung { get; init; }

    /// <summary>Events that a consumer had processed before, and did not process again.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Events that arrived before an earlier event, and were not processed.</summary>
    public required long Refused { get; init; }

    /// <summary>Events that arrived damaged, or at the wrong consumer: must be 0.</summary>
    public required long Corrupt { get; init; }
}
