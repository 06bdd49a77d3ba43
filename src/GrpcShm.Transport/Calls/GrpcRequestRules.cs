using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// What a request may be that direct mode carries; specified in <c>docs/protocol.md</c>, "Requests". All else is for
/// the HTTP/2 of the web server itself, which knows how to decode, normalise and refuse it.
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
    /// Whether it is two or more segments of characters that nobody escapes, decodes or normalises, so that everybody
    /// who looks at it sees the same.
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
    /// Whether it is a host, or an IPv6 address in brackets, with or without a port: what Kestrel takes, and not empty.
    /// </summary>
    public static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        int hostLength;
        if (authority.StartsWith('['))
        {
            // Kestrel takes none that is shorter than [::1].
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
    /// Whether it is the content type of gRPC, maybe with a message format or parameters; that of gRPC-Web is not.
    /// </summary>
    public static bool IsContentType(ReadOnlySpan<char> value) =>
        value.StartsWith(ContentType) && (value.Length == ContentType.Length || value[ContentType.Length] is '+' or ';');
}
