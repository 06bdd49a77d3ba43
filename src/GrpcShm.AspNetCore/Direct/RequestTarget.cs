using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>What a request's path says, taken apart once for all the calls that refer to it by number.</summary>
internal sealed class RequestTarget
{
    public RequestTarget(string rawTarget, DirectApplication application)
    {
        RawTarget = rawTarget;
        var query = rawTarget.IndexOf('?', StringComparison.Ordinal);
        QueryString = query < 0 ? "" : rawTarget[query..];

        // Unescapes, but for the slash, as Kestrel does.
        Path = PathString.FromUriComponent(query < 0 ? rawTarget : rawTarget[..query]).Value ?? "";
        Profile = application.ProfileOf(Path);
    }

    public string RawTarget { get; }

    public string Path { get; }

    /// <summary>With its question mark, or empty.</summary>
    public string QueryString { get; }

    public RunProfile Profile { get; }

    /// <summary>Whether a path in this form may come from a client.</summary>
    public static bool IsValid(string rawTarget) => rawTarget.StartsWith('/') || rawTarget == "*";
}
