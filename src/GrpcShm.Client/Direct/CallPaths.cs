using System.Collections.Concurrent;
using GrpcShm.Transport;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>The paths that a channel calls. Any thread.</summary>
internal sealed class CallPaths(RunMode mode)
{
    private const int MaxPaths = 1024;

    // A gRPC channel has one instance for each method, so there is nothing to be compared.
    private readonly ConcurrentDictionary<Uri, CallPath> _byAddress = new(ReferenceEqualityComparer.Instance);
    private readonly RunProfileTable _profiles = new(mode);
    private int _count;

    public CallPath Get(Uri address) => _byAddress.TryGetValue(address, out var path) ? path : Add(address);

    private CallPath Add(Uri address)
    {
        var path = new CallPath(address, _profiles.Of(address.AbsolutePath));
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
}
