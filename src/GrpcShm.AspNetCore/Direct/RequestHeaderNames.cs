using System.Collections.Frozen;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The names of a request's headers as Kestrel shows them to the application: some names come first, in an order of
/// Kestrel's own, and many have a spelling of Kestrel's own. A test compares this with Kestrel.
/// </summary>
internal static class RequestHeaderNames
{
    /// <summary>The order of names that come last, in the order in which they came.</summary>
    private const int Last = int.MaxValue;

    private static readonly string[] Ordered =
    [
        "Accept", "Host", "User-Agent", "Accept-Charset", "Accept-Encoding", "Accept-Language",
        "Access-Control-Request-Headers", "Access-Control-Request-Method", "Alt-Used", "Authorization", "baggage",
        "Cache-Control", "Content-Type", "Cookie", "Correlation-Context", "Date", "Expect", "From",
        "Grpc-Accept-Encoding", "Grpc-Encoding", "Grpc-Timeout", "If-Match", "If-Modified-Since", "If-None-Match",
        "If-Range", "If-Unmodified-Since", "Max-Forwards", "Origin", "Pragma", "Proxy-Authorization", "Range",
        "Referer", "Request-Id", "TE", "traceparent", "tracestate", "Translate", "Upgrade-Insecure-Requests", "Via",
        "Warning", "Content-Length",
    ];

    private static readonly string[] Spelled =
    [
        "Accept-Ranges", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
        "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers",
        "Access-Control-Max-Age", "Age", "Allow", "Alt-Svc", "Content-Disposition", "Content-Encoding",
        "Content-Language", "Content-Location", "Content-MD5", "Content-Range", "Content-Security-Policy",
        "Content-Security-Policy-Report-Only", "DNT", "ETag", "Expires", "Grpc-Message", "Grpc-Status",
        "Last-Modified", "Link", "Location", "Proxy-Authenticate", "Retry-After", "Sec-WebSocket-Accept",
        "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Server",
        "Set-Cookie", "Strict-Transport-Security", "Trailer", "Vary", "WWW-Authenticate", "X-Content-Type-Options",
        "X-Frame-Options", "X-Powered-By", "X-Requested-With", "X-UA-Compatible", "X-XSS-Protection",
    ];

    // Headers of a connection, and the header that would contradict the authority.
    private static readonly string[] Forbidden =
        ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"];

    private static readonly FrozenDictionary<string, Entry> ByName =
        Ordered.Select((name, i) => new Entry(name, i))
            .Concat(Spelled.Select(name => new Entry(name, Last)))
            .Where(entry => !Forbidden.Contains(entry.Name, StringComparer.OrdinalIgnoreCase))
            .Concat(Forbidden.Select(name => new Entry(name, Last) { IsForbidden = true }))
            .ToFrozenDictionary(entry => entry.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly Entry[] ByNumber =
        [.. Enumerable.Range(0, HeaderNames.Count).Select(number => Find(HeaderNames.NameOf(number)))];

    /// <summary>The name under which the authority is shown.</summary>
    public static Entry Host { get; } = new("Host", Array.IndexOf(Ordered, "Host"));

    /// <summary>Finds how a name is shown.</summary>
    /// <param name="number">Its number, or <see cref="HeaderNames.Unknown"/>.</param>
    /// <param name="name">The name, in lower case.</param>
    public static Entry Find(int number, string name) => number == HeaderNames.Unknown ? Find(name) : ByNumber[number];

    private static Entry Find(string name) => ByName.TryGetValue(name, out var entry) ? entry : new Entry(name, Last);

    internal readonly record struct Entry(string Name, int Order)
    {
        public bool IsForbidden { get; init; }
    }
}
