namespace GrpcShm.Differential.Responses;

/// <summary>What a handler does, step by step.</summary>
internal sealed record ResponseScript(long Number, IReadOnlyList<ResponseStep> Steps)
{
    /// <summary>Whether it sets a status.</summary>
    public bool Sets(int status) => Sets(s => s == status);

    /// <summary>Whether it sets a status of some kind.</summary>
    public bool Sets(Predicate<int> isStatus) =>
        Steps.Any(s => s.Action == ResponseAction.SetStatus && isStatus(s.Number));

    public override string ToString() => string.Concat(Steps.Select(static (s, i) => $"  {i}. {s}\n"));
}
