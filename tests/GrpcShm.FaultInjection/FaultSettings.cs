using GrpcShm.FaultInjection.Survivors;

namespace GrpcShm.FaultInjection;

/// <summary>The settings of the command line.</summary>
/// <param name="Kills">How many processes die.</param>
/// <param name="Seed">The seed of all choices.</param>
/// <param name="Within">The time in which the other side must notice a death.</param>
/// <param name="Only">Words that the description of a fault must have.</param>
/// <param name="Breakage">The fault that the surviving client makes on purpose.</param>
internal sealed record FaultSettings(
    int Kills, int Seed, TimeSpan Within, IReadOnlyList<string> Only, Breakage Breakage);
