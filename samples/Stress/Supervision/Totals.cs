namespace Samples.Stress.Supervision;

/// <summary>What has become of all events at one moment.</summary>
internal readonly record struct Totals
{
    /// <summary>Handed to the bus, again or not.</summary>
    public required long Sent { get; init; }

    /// <summary>Handed to the bus once more.</summary>
    public required long SentAgain { get; init; }

    /// <summary>Acknowledged to their producers.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Processed by their consumers, once each.</summary>
    public required long Processed { get; init; }

    /// <summary>
    /// Acknowledged to their producers and not processed by their consumers: must be 0 at any moment.
    /// </summary>
    public required long Lost { get; init; }

    /// <summary>Sends that failed, and whose events were sent again.</summary>
    public required long Failed { get; init; }

    /// <summary>Sends that were never answered: must be 0.</summary>
    public required long Hung { get; init; }

    /// <summary>Events that came to a consumer that had processed them, and were not processed again.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Events that came to a consumer before one that was sent before them, and were not processed.</summary>
    public required long Refused { get; init; }

    /// <summary>Events that came damaged, or to the wrong consumer: must be 0.</summary>
    public required long Corrupt { get; init; }
}
