using System.Collections;
using System.Collections.Frozen;
using System.Net;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The features: those of the call itself, those that hosting and the application have set, and those of the connection.
/// </summary>
internal abstract partial class ServerCall : IFeatureCollection, IHttpConnectionFeature, IHttpBodyControlFeature
{
    private static readonly FrozenSet<Type> Own = new[]
    {
        typeof(IHttpRequestFeature),
        typeof(IHttpRequestBodyDetectionFeature),
        typeof(IRequestBodyPipeFeature),
        typeof(IHttpRequestIdentifierFeature),
        typeof(IHttpRequestLifetimeFeature),
        typeof(IHttpRequestTrailersFeature),
        typeof(IHttpMaxRequestBodySizeFeature),
        typeof(IHttpMinRequestBodyDataRateFeature),
        typeof(IHttp2StreamIdFeature),
        typeof(IHttpResponseFeature),
        typeof(IHttpResponseBodyFeature),
        typeof(IHttpResponseTrailersFeature),
        typeof(IHttpResetFeature),
        typeof(IHttpConnectionFeature),
        typeof(IHttpBodyControlFeature),
    }.ToFrozenSet();

    // Few, and looked up often: routing, services, the activity. A null hides what is behind.
    private readonly List<KeyValuePair<Type, object?>> _set = new(12);
    private int _revision;
    private string? _connectionId;
    private bool? _allowSynchronousIO;

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _revision;

    bool IHttpBodyControlFeature.AllowSynchronousIO
    {
        get => _allowSynchronousIO ?? Connection.Application.Kestrel.AllowSynchronousIO;
        set => _allowSynchronousIO = value;
    }

    string IHttpConnectionFeature.ConnectionId
    {
        get => _connectionId ?? Connection.ConnectionId;
        set => _connectionId = value;
    }

    IPAddress? IHttpConnectionFeature.RemoteIpAddress { get; set; }

    IPAddress? IHttpConnectionFeature.LocalIpAddress { get; set; }

    int IHttpConnectionFeature.RemotePort { get; set; }

    int IHttpConnectionFeature.LocalPort { get; set; }

    object? IFeatureCollection.this[Type key]
    {
        get => Find(key);
        set => Set(key, value);
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default => (TFeature?)Find(typeof(TFeature));

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default => Set(typeof(TFeature), instance);

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator() => Enumerate().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => Enumerate().GetEnumerator();

    private object? Find(Type key)
    {
        foreach (ref readonly var feature in CollectionsMarshal.AsSpan(_set))
        {
            if (feature.Key == key)
            {
                return feature.Value;
            }
        }

        return Own.Contains(key) ? this : Connection.Features[key];
    }

    private void Set(Type key, object? instance)
    {
        _revision++;
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

    private IEnumerable<KeyValuePair<Type, object>> Enumerate()
    {
        var hidden = _set.Select(static f => f.Key).ToHashSet();
        return _set.Where(static f => f.Value is not null).Select(static f => new KeyValuePair<Type, object>(f.Key, f.Value!))
            .Concat(Own.Where(t => !hidden.Contains(t)).Select(t => new KeyValuePair<Type, object>(t, this)))
            .Concat(Connection.Features.Where(f => !hidden.Contains(f.Key) && !Own.Contains(f.Key)));
    }

    private void ReuseFeatures()
    {
        _set.Clear();
        _revision++;
        _connectionId = null;
        _allowSynchronousIO = null;
        IHttpConnectionFeature connection = this;
        connection.RemoteIpAddress = null;
        connection.LocalIpAddress = null;
        connection.RemotePort = 0;
        connection.LocalPort = 0;
    }
}
