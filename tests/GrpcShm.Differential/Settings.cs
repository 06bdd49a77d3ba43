namespace GrpcShm.Differential;

/// <summary>The settings of a run.</summary>
/// <param name="Requests">How many requests.</param>
/// <param name="Responses">How many responses.</param>
/// <param name="Seed">Reproduces the run.</param>
/// <param name="First">The number of the first request and of the first response, so that a single difference can be
/// repeated.</param>
/// <param name="Found">The directory for the differences.</param>
/// <param name="Plant">The fault that is planted on purpose, or <see langword="null"/>.</param>
internal sealed record Settings(long Requests, long Responses, int Seed, long First, string Found, string? Plant)
{
    /// <summary>A run ends at this number of differences, since more would be the same again.</summary>
    public const int MostFound = 20;
}
