using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// What a call is for: its path, looked at once for all the calls that refer to it by the same number.
/// </summary>
/// <param name="path">The path, as it came.</param>
/// <param name="application">The application that serves it.</param>
internal sealed class CallTarget(string path, DirectApplication application)
{
    /// <summary>
    /// The path. The raw target is the same, since nothing in the path can be decoded and there is no query.
    /// </summary>
    public string Path => path;

    /// <summary>True if direct mode carries calls to this path.</summary>
    public bool IsCarried { get; } = GrpcRequestRules.IsPath(path);

    /// <summary>Says on which thread the handlers of these calls run.</summary>
    public RunProfile Profile { get; } = application.ProfileOf(path);
}
