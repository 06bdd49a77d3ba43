namespace GrpcShm.Fuzz;

/// <summary>The settings of a run.</summary>
/// <param name="Targets">The targets to fuzz.</param>
/// <param name="Inputs">How many inputs, shared among the targets by their weights.</param>
/// <param name="Seed">The seed that reproduces the run.</param>
/// <param name="Found">The directory for inputs that cause a failure.</param>
/// <param name="Keep">A directory for one input of each outcome, or <see langword="null"/>.</param>
internal sealed record FuzzSettings(
    IReadOnlyList<IFuzzTarget> Targets, long Inputs, int Seed, string Found, string? Keep);
