using Samples.Stress.Roles;

namespace Samples.Stress;

/// <summary>What was asked for.</summary>
internal sealed record StressOptions
{
    public required TransportKind Transport { get; init; }

    public required int Producers { get; init; }

    public required int Consumers { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>How often a process is killed, on average; none to kill none.</summary>
    public required TimeSpan? KillInterval { get; init; }

    /// <summary>What the choice of victims and moments follows from.</summary>
    public required int Seed { get; init; }

    public required LaneOptions Lanes { get; init; }

    public required bool Json { get; init; }

    public string TransportName => Transport.ToString().ToLowerInvariant();
}
