namespace GrpcShm.Differential.Responses;

/// <summary>What a handler does, step by step.</summary>
internal sealed record ResponseScript(long Number, IReadOnlyList<ResponseStep> Steps)
{
    public override string ToString() => string.Concat(Steps.Select(static (s, i) => $"  {i}. {s}\n"));
}
