using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The methods of a host that are dispatched natively, at one moment. It never changes.</summary>
internal sealed class NativeTable
{
    private static readonly string WhyNotSet =
        $"gRPC has options that this library does not know: {string.Join(", ", ServiceSettings.UnknownOptions)}";

    private readonly FrozenDictionary<string, NativeEndpoint> _endpoints;

    private NativeTable(int version, IEnumerable<NativeEndpoint> endpoints, IReadOnlyList<NativeRefusal> refusals)
    {
        Version = version;
        Refusals = refusals;
        _endpoints = endpoints.ToFrozenDictionary(static endpoint => endpoint.Path, StringComparer.Ordinal);
    }

    /// <summary>The table of a host without native dispatch.</summary>
    public static NativeTable None { get; } = Empty(0);

    /// <summary>Tells this table from those before and after it.</summary>
    public int Version { get; }

    public IReadOnlyCollection<NativeEndpoint> Endpoints => _endpoints.Values;

    /// <summary>The methods that are not, but for those that the application has kept from it.</summary>
    public IReadOnlyList<NativeRefusal> Refusals { get; }

    /// <summary>A table without any method.</summary>
    public static NativeTable Empty(int version) => new(version, [], []);

    /// <summary>Looks at each endpoint.</summary>
    /// <param name="version">The number of the table.</param>
    /// <param name="endpoints">All endpoints that routing chooses from.</param>
    /// <param name="pipeline">What is known of the middleware.</param>
    /// <param name="services">The services of the host.</param>
    /// <param name="makeMethod">Makes the methods.</param>
    public static NativeTable Of(
        int version,
        IReadOnlyList<Endpoint> endpoints,
        PipelineProof pipeline,
        IServiceProvider services,
        NativeMethodMaker? makeMethod)
    {
        var candidates = endpoints
            .Select(static endpoint => (
                Endpoint: endpoint,
                Grpc: endpoint.Metadata.GetMetadata<GrpcMethodMetadata>(),
                IsAsked: endpoint.Metadata.GetMetadata<NativeDispatchMetadata>()?.IsWanted))
            .Where(static entry => entry.Grpc is not null && entry.IsAsked != false)
            .ToList();
        if (candidates.Count == 0)
        {
            return Empty(version);
        }

        var routes = new RouteProof(endpoints, services);
        var found = new List<NativeEndpoint>();
        var refusals = new List<NativeRefusal>();
        foreach (var (endpoint, grpc, asked) in candidates)
        {
            var isAsked = asked == true;
            if (WhyNot(endpoint, isAsked) is { } reason)
            {
                refusals.Add(new NativeRefusal(grpc!, reason, isAsked));
                continue;
            }

            var routed = (RouteEndpoint)endpoint;
            string? whyNotMade = null;
            var method = makeMethod?.Invoke(routed, grpc!, out whyNotMade);
            if (method is null && makeMethod is not null)
            {
                refusals.Add(new NativeRefusal(grpc!, whyNotMade ?? "it is of an unknown kind", isAsked));
                continue;
            }

            if (method is not null)
            {
                method.Pipeline = pipeline.Traits;
            }

            found.Add(new NativeEndpoint(RouteProof.PathOf(routed)!, routed, grpc!, method));
        }

        return new NativeTable(version, found, refusals);

        string? WhyNot(Endpoint endpoint, bool isAsked) =>
            EndpointProof.WhyNot(endpoint, pipeline.IsMicrosofts)
            ?? routes.WhyNot((RouteEndpoint)endpoint)
            ?? pipeline.WhyNot(RouteProof.PathOf((RouteEndpoint)endpoint)!, isAsked)
            ?? (isAsked || ServiceSettings.UnknownOptions is [] ? null : WhyNotSet);
    }

    /// <summary>Finds the method of a path, as it is written; routing itself takes a path in any case.</summary>
    public NativeEndpoint? Find(string path) => _endpoints.GetValueOrDefault(path);
}
