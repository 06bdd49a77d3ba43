using System.Collections.Concurrent;
using GrpcShm.Client.Direct;
using GrpcShm.Transport;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Http;

/// <summary>The addresses that a channel calls, and what is known of them. Any thread.</summary>
internal sealed class RequestPaths(RunMode mode)
{
    private const int MaxPaths = 1024;

    // A gRPC channel has one instance for each method, so there is nothing to be compared.
    private readonly ConcurrentDictionary<Uri, CallPath> _byAddress = new(ReferenceEqualityComparer.Instance);
    private readonly RunProfileTable _profiles = new(mode);
    private int _count;

    public CallPath Get(Uri address) => _byAddress.TryGetValue(address, out var path) ? path : Add(address);

    private CallPath Add(Uri address)
    {
        var path = Create(address);
        if (!path.IsCarried)
        {
            // Goes over HTTP/2, and takes no room here.
            return path;
        }

        if (Interlocked.Increment(ref _count) > MaxPaths)
        {
            // Somebody makes an address for each request. What is used again comes back.
            Volatile.Write(ref _count, 0);
            _byAddress.Clear();
        }

        return _byAddress.GetOrAdd(address, path);
    }

    private CallPath Create(Uri address)
    {
        var host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        var authority = address.IsDefaultPort ? host : string.Create(null, $"{host}:{address.Port}");
        return new CallPath(address.Scheme, authority, address.PathAndQuery, _profiles.Of(address.AbsolutePath));
    }
}
