namespace GrpcShm.Differential;

/// <summary>What a run does.</summary>
/// <param name="Requests">How many requests.</param>
/// <param name="Responses">How many responses.</param>
/// <param name="Seed">Reproduces the run.</param>
/// <param name="First">The number of the first request and of the first response: a difference can be run again
/// alone.</param>
/// <param name="Found">The directory for what differs.</param>
/// <param name="Plant">What is broken on purpose, or <see langword="null"/>.</param>
internal sealed record Settings(long Requests, long Responses, int Seed, long First, string Found, string? Plant)
{
    /// <summary>No more of them are looked for: they would be the same ones again.</summary>
    public const int MostFound = 20;
}
