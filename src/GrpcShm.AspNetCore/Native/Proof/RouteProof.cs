using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>Says whether routing always chooses an endpoint for calls to its path, and no other one.</summary>
internal sealed class RouteProof
{
    private readonly Dictionary<string, int> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _lowestOrder = int.MaxValue;
    private readonly int _lowestRequired = int.MaxValue;
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
                if (routed.RoutePattern.RequiredValues.Count > 0)
                {
                    _lowestRequired = Math.Min(_lowestRequired, routed.Order);
                }
            }

            _whyNot ??= WhyNotBeside(routed, services);
        }

        _whyNot ??= services.GetServices<MatcherPolicy>()
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

        // A route without parameters comes before those that have some, unless their order comes before its own. A
        // parameter with a required value counts as none.
        return _lowestOrder < endpoint.Order || _lowestRequired <= endpoint.Order
            ? "another endpoint has an order that comes before"
            : _whyNot;
    }

    /// <summary>
    /// Says whether routing runs code of the application for an endpoint that may be a candidate, even if another one
    /// is chosen: constraints of its own, and what makes route values anew (dynamic controllers and pages).
    /// </summary>
    private static string? WhyNotBeside(RouteEndpoint endpoint, IServiceProvider services)
    {
        var policies = endpoint.RoutePattern.ParameterPolicies.Values.SelectMany(static policies => policies);
        return policies.Any(policy => !IsKnown(TypeOf(policy, services)))
            ? $"the route '{endpoint.RoutePattern.RawText}' has a constraint that is not ASP.NET Core's"
            : endpoint.Metadata.Any(static part =>
                part.GetType().Name.EndsWith("RouteValueTransformerMetadata", StringComparison.Ordinal))
                ? $"the values of the route '{endpoint.RoutePattern.RawText}' are made by the application"
                : null;
    }

    /// <summary>The type of a constraint; nothing if it is not known.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The map is only read.")]
    private static Type? TypeOf(RoutePatternParameterPolicyReference policy, IServiceProvider services)
    {
        if (policy.ParameterPolicy is { } instance)
        {
            return instance.GetType();
        }

        var known = services.GetService<IOptions<RouteOptions>>()?.Value.ConstraintMap;
        return policy.Content?.Split('(')[0] is { } name && known?.TryGetValue(name, out var type) == true
            ? type
            : null;
    }

    // By the key that an assembly is signed with: anybody may give an assembly a name that begins with "Microsoft.".
    private static bool IsKnown(Type? type) =>
        type is not null && (HasKeyOf(type, typeof(MatcherPolicy)) || HasKeyOf(type, typeof(GrpcMethodMetadata)));

    private static bool HasKeyOf(Type type, Type known) =>
        type.Assembly.GetName().GetPublicKeyToken() is { Length: > 0 } token
        && token.AsSpan().SequenceEqual(known.Assembly.GetName().GetPublicKeyToken());
}
