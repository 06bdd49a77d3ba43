using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>Says why a call must not be dispatched without the middleware of its application, if anything is.</summary>
internal sealed class PipelineProof
{
    private readonly List<(PipelineLink Link, MiddlewareVerdict Verdict)> _links;
    private readonly string? _whyNot;

    private PipelineProof(
        List<(PipelineLink Link, MiddlewareVerdict Verdict)> links, string? whyNot, RequestDelegate? first)
    {
        _links = links;
        _whyNot = whyNot;
        Traits = new PipelineTraits(
            IsMicrosofts && links.Any(static entry => MiddlewareRules.ActsOnFailures(entry.Link)) ? first : null,
            [.. MarksOf(links)],
            [.. links.Select(static entry => entry.Verdict.Holds).OfType<Func<bool>>()]);
    }

    /// <summary>True if each middleware is Microsoft's, so that it is known which metadata may be acted on.</summary>
    public bool IsMicrosofts => _whyNot is null && _links.All(static entry => entry.Link.IsMicrosofts);

    /// <summary>
    /// What native calls take over. Failures go through the pipeline only if all of it is Microsoft's: the rest of it
    /// then lets them pass, as it lets pass each call.
    /// </summary>
    public PipelineTraits Traits { get; }

    /// <summary>The middleware that this library knows nothing about.</summary>
    public IEnumerable<string> Unknown => _links
        .Where(static entry => entry.Verdict.Effect == MiddlewareEffect.Unknown)
        .Select(static entry => entry.Link.Name)
        .Distinct();

    /// <summary>Judges a pipeline as it is set up now.</summary>
    public static PipelineProof Of(PipelineWalk walk, IServiceProvider services)
    {
        var links = walk.Links.Select(link => (link, MiddlewareRules.Judge(link, services))).ToList();
        return new PipelineProof(links, walk.WhyNotKnown, walk.First);
    }

    /// <summary>Says why calls to a path need the pipeline.</summary>
    /// <param name="path">The path.</param>
    /// <param name="isAsked">
    /// True if the application has asked for native dispatch. Then middleware that this library does not know is left
    /// out, and so is middleware that lets calls pass as it is set up now.
    /// </param>
    /// <returns>The reason; nothing if they do not need it.</returns>
    public string? WhyNot(PathString path, bool isAsked)
    {
        var reason = Find(MiddlewareEffect.Acts, path) ?? _whyNot;
        return reason is not null || isAsked
            ? reason
            : Unknown.Any()
                ? $"it is not known what this middleware does: {string.Join(", ", Unknown)}"
                : Find(MiddlewareEffect.MayAct, path);
    }

    /// <summary>A middleware marks a call whose endpoint is known, so it has to stand behind routing.</summary>
    private static IEnumerable<string> MarksOf(IEnumerable<(PipelineLink Link, MiddlewareVerdict Verdict)> links) =>
        links
            .SkipWhile(static entry => !PipelineWalk.IsOfRouting(entry.Link, PipelineWalk.RoutingMiddleware))
            .Select(static entry => entry.Verdict.Mark)
            .OfType<string>();

    private string? Find(MiddlewareEffect effect, PathString path)
    {
        foreach (var (link, verdict) in _links)
        {
            if (verdict.Effect == effect && path.StartsWithSegments(verdict.Below))
            {
                return verdict.Condition is null
                    ? $"{link.Name} may act on them"
                    : $"{link.Name} may act on them ({verdict.Condition})";
            }
        }

        return null;
    }
}
