using Samples.Stress.Roles;

namespace Samples.Stress;

/// <summary>The options of the command line.</summary>
internal sealed record StressOptions
{
    public required TransportKind Transport { get; init; }

    public required int Producers { get; init; }

    public required int Consumers { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>The average time between two kills; null for no kills.</summary>
    public required TimeSpan? KillInterval { get; init; }

    /// <summary>The seed for the choice of victims and moments.</summary>
    public required int Seed { get; init; }

    public required TrackOptions Tracks { get; init; }

    /// <summary>Whether producers and consumers send each other events over lanes, past the hub.</summary>
    public required bool UsesLanes { get; init; }

    public required bool Json { get; init; }

    public string TransportName => Transport.ToString().ToLowerInvariant();
}
