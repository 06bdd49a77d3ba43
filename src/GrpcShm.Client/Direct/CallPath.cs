using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>What is the same for all calls to one address.</summary>
internal sealed class CallPath(string scheme, string authority, string pathAndQuery, RunProfile profile)
{
    /// <summary>Whether calls to it may go in direct mode.</summary>
    public bool IsCarried { get; } = scheme == GrpcRequestRules.Scheme
        && GrpcRequestRules.IsPath(pathAndQuery)
        && GrpcRequestRules.IsAuthority(authority);

    public string Scheme => scheme;

    public string Authority => authority;

    public string PathAndQuery => pathAndQuery;

    /// <summary>Where what responses lead to runs.</summary>
    public RunProfile Profile => profile;
}
