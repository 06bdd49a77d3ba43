using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>Says why a call must not be dispatched without the middleware of its application, if anything is.</summary>
internal sealed class PipelineProof
{
    private readonly List<(PipelineLink Link, MiddlewareVerdict Verdict)> _links;
    private readonly string? _whyNot;

    private PipelineProof(List<(PipelineLink Link, MiddlewareVerdict Verdict)> links, string? whyNot)
    {
        _links = links;
        _whyNot = whyNot;
    }

    /// <summary>The middleware that this library knows nothing about.</summary>
    public IEnumerable<string> Unknown => _links
        .Where(static entry => entry.Verdict.Effect == MiddlewareEffect.Unknown)
        .Select(static entry => entry.Link.Name)
        .Distinct();

    /// <summary>Judges a pipeline as it is set up now.</summary>
    public static PipelineProof Of(PipelineWalk walk, IServiceProvider services)
    {
        var links = walk.Links.Select(link => (link, MiddlewareRules.Judge(link, services))).ToList();
        return new PipelineProof(links, walk.WhyNotKnown);
    }

    /// <summary>Says why calls to a path need the pipeline.</summary>
    /// <param name="path">The path.</param>
    /// <param name="acceptsUnknown">True if middleware that this library does not know may be left out.</param>
    /// <returns>The reason; nothing if they do not need it.</returns>
    public string? WhyNot(PathString path, bool acceptsUnknown)
    {
        foreach (var (link, verdict) in _links)
        {
            if (verdict.Effect == MiddlewareEffect.Acts && path.StartsWithSegments(verdict.Below))
            {
                return verdict.Condition is null
                    ? $"{link.Name} may act on them"
                    : $"{link.Name} may act on them ({verdict.Condition})";
            }
        }

        return _whyNot
            ?? (acceptsUnknown || !Unknown.Any()
                ? null
                : $"it is not known what this middleware does: {string.Join(", ", Unknown)}");
    }
}
