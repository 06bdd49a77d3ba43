using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>Says whether routing always chooses an endpoint for calls to its path, and no other one.</summary>
internal sealed class RouteProof
{
    private readonly Dictionary<string, int> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _lowestOrder = int.MaxValue;
    private readonly string? _whyNot;

    /// <param name="endpoints">All endpoints that routing chooses from.</param>
    /// <param name="services">The services of the host.</param>
    public RouteProof(IEnumerable<Endpoint> endpoints, IServiceProvider services)
    {
        foreach (var endpoint in endpoints)
        {
            // Routing takes all other endpoints as if they were not there.
            if (endpoint is not RouteEndpoint routed)
            {
                continue;
            }

            if (PathOf(routed) is { } path)
            {
                _paths[path] = _paths.GetValueOrDefault(path) + 1;
            }
            else
            {
                _lowestOrder = Math.Min(_lowestOrder, routed.Order);
            }
        }

        _whyNot = services.GetServices<MatcherPolicy>()
            .Concat<object?>(services.GetServices<EndpointSelector>())
            .OfType<object>()
            .FirstOrDefault(static part => !IsKnown(part.GetType())) is { } part
                ? $"routing is changed by {part.GetType()}"
                : null;
    }

    /// <summary>The path of an endpoint that has exactly one path.</summary>
    public static string? PathOf(RouteEndpoint endpoint)
    {
        var segments = endpoint.RoutePattern.PathSegments
            .Select(static segment => segment is { IsSimple: true, Parts: [RoutePatternLiteralPart literal] }
                ? literal.Content
                : null)
            .ToList();
        return segments.Contains(null) ? null : "/" + string.Join('/', segments);
    }

    /// <summary>Says why routing may choose another endpoint.</summary>
    /// <returns>The reason; nothing if it cannot.</returns>
    public string? WhyNot(RouteEndpoint endpoint)
    {
        if (PathOf(endpoint) is not { } path)
        {
            return $"its route '{endpoint.RoutePattern.RawText}' has parameters";
        }

        if (endpoint.RoutePattern is not { ParameterPolicies.Count: 0, Defaults.Count: 0, RequiredValues.Count: 0 })
        {
            return $"its route '{endpoint.RoutePattern.RawText}' has constraints or default values";
        }

        if (_paths.GetValueOrDefault(path) != 1)
        {
            return $"another endpoint has the path '{path}', too";
        }

        // A route without parameters comes before those that have some, unless their order comes before its own.
        return _lowestOrder < endpoint.Order
            ? "another endpoint has an order that comes before"
            : _whyNot;
    }

    private static bool IsKnown(Type type) =>
        PipelineLink.IsOfMicrosoft(type)
        || type.Assembly.GetName().Name?.StartsWith("Grpc.AspNetCore.", StringComparison.Ordinal) == true;
}
