using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>What a request's path says, looked at once for all the calls that refer to it by number.</summary>
/// <param name="path">The path, as it came.</param>
/// <param name="application">The application that serves it.</param>
internal sealed class RequestTarget(string path, DirectApplication application)
{
    /// <summary>The same as the raw target, since nothing in it can be decoded, and there is no query.</summary>
    public string Path => path;

    /// <summary>Whether it is one that direct mode carries.</summary>
    public bool IsValid { get; } = GrpcRequestRules.IsPath(path);

    public RunProfile Profile { get; } = application.ProfileOf(path);
}
