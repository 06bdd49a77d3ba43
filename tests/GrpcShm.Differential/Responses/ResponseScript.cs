namespace GrpcShm.Differential.Responses;

/// <summary>The steps of a handler.</summary>
internal sealed record ResponseScript(long Number, IReadOnlyList<ResponseStep> Steps)
{
    /// <summary>True if it sets a status.</summary>
    public bool Sets(int status) => Sets(s => s == status);

    /// <summary>True if it sets a status that fulfils a condition.</summary>
    public bool Sets(Predicate<int> isStatus) =>
        Steps.Any(s => s.Action == ResponseAction.SetStatus && isStatus(s.Number));

    public override string ToString() => string.Concat(Steps.Select(static (s, i) => $"  {i}. {s}\n"));
}
