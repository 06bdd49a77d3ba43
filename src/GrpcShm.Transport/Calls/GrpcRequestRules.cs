using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The rules for requests in direct mode; specified in <c>docs/why/protocol.md</c>, "Requests". All other requests go
/// by the HTTP/2 of the web server itself, which knows how to decode, normalise and refuse them.
/// </summary>
internal static class GrpcRequestRules
{
    public const string Method = "POST";
    public const string Scheme = "http";
    public const string Te = "trailers";
    public const string ContentType = "application/grpc";

    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!$&'()-._~");

    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("ABCDEFabcdef0123456789:.");

    /// <summary>
    /// Whether a path consists of two or more segments of characters that no program escapes, decodes or normalises, so
    /// that all programs see the same path.
    /// </summary>
    public static bool IsPath(ReadOnlySpan<char> path)
    {
        var segments = 0;
        while (path.Length > 1 && path[0] == '/')
        {
            path = path[1..];
            var end = path.IndexOf('/');
            var segment = end < 0 ? path : path[..end];
            if (segment.IsEmpty || segment is "." or ".." || segment.ContainsAnyExcept(SegmentCharacters))
            {
                return false;
            }

            segments++;
            path = path[segment.Length..];
        }

        return path.IsEmpty && segments >= 2;
    }

    /// <summary>
    /// Whether an authority is a host, or an IPv6 address in brackets, with or without a port: an authority that
    /// Kestrel takes, and that is not empty.
    /// </summary>
    public static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        int hostLength;
        if (authority.StartsWith('['))
        {
            // Kestrel takes no address that is shorter than [::1].
            var end = authority.IndexOf(']');
            if (end < 4 || authority[1..end].ContainsAnyExcept(AddressCharacters))
            {
                return false;
            }

            hostLength = end + 1;
        }
        else
        {
            hostLength = authority.IndexOfAnyExcept(HostCharacters);
            hostLength = hostLength < 0 ? authority.Length : hostLength;
        }

        var port = authority[hostLength..];
        return hostLength > 0
            && (port.IsEmpty || (port.Length > 1 && port[0] == ':' && !port[1..].ContainsAnyExceptInRange('0', '9')));
    }

    /// <summary>
    /// Whether a value is the content type of gRPC, maybe with a message format or parameters, and not that of
    /// gRPC-Web.
    /// </summary>
    public static bool IsContentType(ReadOnlySpan<char> value) =>
        value.StartsWith(ContentType)
        && (value.Length == ContentType.Length || value[ContentType.Length] is '+' or ';');
}
