using GrpcShm.FaultInjection.Survivors;

namespace GrpcShm.FaultInjection;

/// <summary>What the command line asks for.</summary>
/// <param name="Kills">How many processes die.</param>
/// <param name="Seed">What all choices follow from.</param>
/// <param name="Within">How long the other side has to notice.</param>
/// <param name="Only">Words that a fault of the plan has to have.</param>
/// <param name="Breakage">What the surviving client does wrong on purpose.</param>
internal sealed record FaultSettings(
    int Kills, int Seed, TimeSpan Within, IReadOnlyList<string> Only, Breakage Breakage);
