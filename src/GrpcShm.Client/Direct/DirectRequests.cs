using System.Buffers;
using System.Net;

namespace GrpcShm.Client.Direct;

/// <summary>
/// What direct mode carries: gRPC's requests and nothing else, see docs/protocol.md. The reasons that this gives are for people.
/// </summary>
internal static class DirectRequests
{
    private const string GrpcContentType = "application/grpc";

    private const string PathReason =
        "its address is not 'http://' with a path of two or more plain segments and without a query, as '/package.Service/Method' is";

    // What no server decodes, normalises or takes for something else.
    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>
    /// Whether a request may be one, but for its address and its headers. For each call, so there is little to it.
    /// </summary>
    public static bool MayBeCarried(HttpRequestMessage request) =>
        request.Content is not null && IsPost(request) && request.Version == HttpVersion.Version20;

    /// <summary>Says why a request is not carried.</summary>
    /// <returns>Nothing if it is.</returns>
    public static string? WhyNot(HttpRequestMessage request, CallPath path)
    {
        if (!IsPost(request))
        {
            return $"its method is {request.Method}";
        }

        if (request.Version != HttpVersion.Version20)
        {
            return $"its version is {request.Version}";
        }

        if (!path.IsCarried)
        {
            return PathReason;
        }

        if (request.Content is not { } content)
        {
            return "it has no content";
        }

        var fields = new RequestFields();
        return fields.TakeAll(request.Headers) ?? fields.TakeAll(content.Headers) ?? fields.WhyIncomplete;
    }

    /// <summary>Refuses a request where there is no other way for it.</summary>
    public static HttpRequestException Refuse(string reason) =>
        new($"Direct mode carries gRPC calls alone (POST, version 2.0, content-type 'application/grpc', 'te: trailers'), and not this request: {reason}. "
            + "Leave the client's Mode at Auto, which sends all others over HTTP/2, or set it to Http2.");

    public static bool IsPath(ReadOnlySpan<char> path)
    {
        var segments = 0;
        while (path is ['/', ..])
        {
            path = path[1..];
            var end = path.IndexOf('/');
            var segment = end < 0 ? path : path[..end];
            if (segment is "" or "." or ".." || segment.ContainsAnyExcept(SegmentCharacters))
            {
                return false;
            }

            segments++;
            path = path[segment.Length..];
        }

        return segments > 1 && path.IsEmpty;
    }

    /// <summary>Whether this is a host, maybe with a port, that every server takes for the same.</summary>
    public static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        int end;
        if (authority is ['[', ..])
        {
            end = authority.IndexOf(']') + 1;
            if (end < 4 || authority[1..(end - 1)].ContainsAnyExcept(AddressCharacters))
            {
                return false;
            }
        }
        else
        {
            end = authority.IndexOf(':');
            end = end < 0 ? authority.Length : end;
            if (end == 0 || authority[..end].ContainsAnyExcept(SegmentCharacters))
            {
                return false;
            }
        }

        var port = authority[end..];
        return port.IsEmpty
            || (port[0] == ':' && port.Length > 1 && !port[1..].ContainsAnyExceptInRange('0', '9') && ushort.TryParse(port[1..], out _));
    }

    public static bool IsContentType(string value) =>
        value.StartsWith(GrpcContentType, StringComparison.Ordinal)
        && (value.Length == GrpcContentType.Length || value[GrpcContentType.Length] is '+' or ';');

    private static bool IsPost(HttpRequestMessage request) => request.Method.Method == "POST";
}
