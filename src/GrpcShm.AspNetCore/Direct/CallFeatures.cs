using System.Collections.Frozen;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The features of a call: its own parts, the features that hosting and the application have set, and the features of
/// the connection.
/// </summary>
internal sealed class CallFeatures : IHttpConnectionFeature, IHttpBodyControlFeature
{
    private const int OfRequest = 0;
    private const int OfLifetime = 1;
    private const int OfTimeLimits = 2;
    private const int OfResponse = 3;
    private const int OfConnection = 4;

    private static readonly FrozenDictionary<Type, int> Own = new Dictionary<Type, int>
    {
        [typeof(IHttpRequestFeature)] = OfRequest,
        [typeof(IHttpRequestBodyDetectionFeature)] = OfRequest,
        [typeof(IRequestBodyPipeFeature)] = OfRequest,
        [typeof(IHttpRequestIdentifierFeature)] = OfRequest,
        [typeof(IHttpRequestLifetimeFeature)] = OfLifetime,
        [typeof(IHttpRequestTrailersFeature)] = OfRequest,
        [typeof(IHttpMaxRequestBodySizeFeature)] = OfRequest,
        [typeof(IHttpMinRequestBodyDataRateFeature)] = OfTimeLimits,
        [typeof(IHttp2StreamIdFeature)] = OfRequest,
        [typeof(IHttpResponseFeature)] = OfResponse,
        [typeof(IHttpResponseBodyFeature)] = OfResponse,
        [typeof(IHttpResponseTrailersFeature)] = OfResponse,
        [typeof(IHttpResetFeature)] = OfResponse,
        [typeof(IHttpConnectionFeature)] = OfConnection,
        [typeof(IHttpBodyControlFeature)] = OfConnection,
    }.ToFrozenDictionary();

    private readonly ServerConnection _connection;

    // The parts of the call, at the indices named above.
    private readonly object[] _parts;

    // The features that were set: few, and looked up often (routing, services, the activity). A null hides the part of
    // the call, or the feature of the connection, of that type.
    private readonly List<KeyValuePair<Type, object?>> _set = new(12);
    private string? _connectionId;
    private bool? _allowSynchronousIO;

    public CallFeatures(ServerCall call, RequestTimeLimits timeLimits)
    {
        _connection = call.Connection;
        _parts = [call.Request, call.Lifetime, timeLimits, call.Response, this];
    }

    /// <summary>The number of times that a feature was set.</summary>
    public int Revision { get; private set; }

    bool IHttpBodyControlFeature.AllowSynchronousIO
    {
        get => _allowSynchronousIO ?? _connection.Application.Kestrel.AllowSynchronousIO;
        set => _allowSynchronousIO = value;
    }

    string IHttpConnectionFeature.ConnectionId
    {
        get => _connectionId ?? _connection.ConnectionId;
        set => _connectionId = value;
    }

    public IPAddress? RemoteIpAddress { get; set; }

    public IPAddress? LocalIpAddress { get; set; }

    public int RemotePort { get; set; }

    public int LocalPort { get; set; }

    /// <summary>Finds a feature.</summary>
    public object? Find(Type key)
    {
        foreach (ref readonly var feature in CollectionsMarshal.AsSpan(_set))
        {
            if (feature.Key == key)
            {
                return feature.Value;
            }
        }

        return Own.TryGetValue(key, out var part) ? _parts[part] : _connection.Features[key];
    }

    /// <summary>Sets a feature, in the place of another one if there is one.</summary>
    public void Set(Type key, object? instance)
    {
        Revision++;
        for (var i = 0; i < _set.Count; i++)
        {
            if (_set[i].Key == key)
            {
                _set[i] = new(key, instance);
                return;
            }
        }

        _set.Add(new(key, instance));
    }

    /// <summary>All features that there are.</summary>
    public IEnumerable<KeyValuePair<Type, object>> Enumerate()
    {
        var hidden = _set.Select(static f => f.Key).ToHashSet();
        return _set.Where(static f => f.Value is not null)
            .Select(static f => new KeyValuePair<Type, object>(f.Key, f.Value!))
            .Concat(Own.Where(f => !hidden.Contains(f.Key))
                .Select(f => new KeyValuePair<Type, object>(f.Key, _parts[f.Value])))
            .Concat(_connection.Features.Where(f => !hidden.Contains(f.Key) && !Own.ContainsKey(f.Key)));
    }

    /// <summary>Prepares them for the next call.</summary>
    public void Reuse()
    {
        _set.Clear();
        Revision++;
        _connectionId = null;
        _allowSynchronousIO = null;
        RemoteIpAddress = null;
        LocalIpAddress = null;
        RemotePort = 0;
        LocalPort = 0;
    }
}
