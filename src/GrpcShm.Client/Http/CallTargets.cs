using System.Collections.Concurrent;
using GrpcShm.Client.Direct;
using GrpcShm.Transport;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Http;

/// <summary>What is known of the addresses that a channel calls. Any thread.</summary>
internal sealed class CallTargets(RunMode mode)
{
    private const int MaxTargets = 1024;

    // A gRPC channel uses one instance of the address for each method, so instances are compared and not their text.
    private readonly ConcurrentDictionary<Uri, CallTarget> _byAddress = new(ReferenceEqualityComparer.Instance);
    private readonly RunProfileTable _profiles = new(mode);
    private int _count;

    public CallTarget Get(Uri address) => _byAddress.TryGetValue(address, out var target) ? target : Add(address);

    private CallTarget Add(Uri address)
    {
        var target = Create(address);
        if (!target.IsCarried)
        {
            // Such requests go over HTTP/2, and take no room here.
            return target;
        }

        if (Interlocked.Increment(ref _count) > MaxTargets)
        {
            // Somebody makes a new address for each request. An address that is used again is added again.
            Volatile.Write(ref _count, 0);
            _byAddress.Clear();
        }

        return _byAddress.GetOrAdd(address, target);
    }

    private CallTarget Create(Uri address)
    {
        var host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        var authority = address.IsDefaultPort ? host : string.Create(null, $"{host}:{address.Port}");
        return new CallTarget(address.Scheme, authority, address.PathAndQuery, _profiles.Of(address.AbsolutePath));
    }
}
