using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>What a call is for: all that is the same for all calls to one address.</summary>
internal sealed class CallTarget(string scheme, string authority, string pathAndQuery, RunProfile profile)
{
    /// <summary>True if direct mode carries calls to this address.</summary>
    public bool IsCarried { get; } = scheme == GrpcRequestRules.Scheme
        && GrpcRequestRules.IsPath(pathAndQuery)
        && GrpcRequestRules.IsAuthority(authority);

    public string Scheme => scheme;

    public string Authority => authority;

    public string PathAndQuery => pathAndQuery;

    /// <summary>Says on which thread the callers of these calls go on.</summary>
    public RunProfile Profile => profile;
}
