using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>Endpoints that change while the host runs.</summary>
internal sealed class ChangingSource : EndpointDataSource
{
    private Action<RouteEndpointBuilder> _change = static _ => { };
    private ConfigurationReloadToken _token = new();

    /// <summary>Where the endpoints come from.</summary>
    public EndpointDataSource Inner { get; set; } = new DefaultEndpointDataSource();

    /// <summary>True as long as there are none.</summary>
    public bool IsEmpty { get; set; }

    public override IReadOnlyList<Endpoint> Endpoints =>
        IsEmpty ? [] : [.. Inner.Endpoints.Cast<RouteEndpoint>().Select(Build)];

    public override IChangeToken GetChangeToken() => _token;

    /// <summary>Makes the endpoints anew.</summary>
    public void Change(Action<RouteEndpointBuilder> change)
    {
        _change = change;
        var before = _token;
        _token = new();
        before.OnReload();
    }

    private Endpoint Build(RouteEndpoint endpoint)
    {
        var builder = new RouteEndpointBuilder(endpoint.RequestDelegate, endpoint.RoutePattern, endpoint.Order)
        {
            DisplayName = endpoint.DisplayName,
        };
        foreach (var metadata in endpoint.Metadata)
        {
            builder.Metadata.Add(metadata);
        }

        _change(builder);
        return builder.Build();
    }
}
