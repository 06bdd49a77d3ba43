using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>What is the same for all requests to one address.</summary>
internal sealed class CallPath
{
    public CallPath(Uri address, RunProfile profile)
    {
        Scheme = address.Scheme;
        var host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        Authority = address.IsDefaultPort ? host : string.Create(null, $"{host}:{address.Port}");
        PathAndQuery = address.PathAndQuery;
        Profile = profile;
        IsCarried = Scheme == GrpcRequestRules.Scheme && GrpcRequestRules.IsPath(PathAndQuery) && GrpcRequestRules.IsAuthority(Authority);
    }

    /// <summary>Whether requests to it may go in direct mode.</summary>
    public bool IsCarried { get; }

    public string Scheme { get; }

    public string Authority { get; }

    public string PathAndQuery { get; }

    /// <summary>Where runs what responses lead to.</summary>
    public RunProfile Profile { get; }
}
