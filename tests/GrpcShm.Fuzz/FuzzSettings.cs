namespace GrpcShm.Fuzz;

/// <summary>What a run does.</summary>
/// <param name="Targets">What to fuzz.</param>
/// <param name="Inputs">How many inputs, shared among the targets by their weights.</param>
/// <param name="Seed">Reproduces the run.</param>
/// <param name="Found">The directory for inputs that do what none may.</param>
/// <param name="Keep">A directory for one input of each outcome, or <see langword="null"/>.</param>
internal sealed record FuzzSettings(
    IReadOnlyList<IFuzzTarget> Targets, long Inputs, int Seed, string Found, string? Keep);
