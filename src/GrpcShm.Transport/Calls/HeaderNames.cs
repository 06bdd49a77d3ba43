using System.Collections.Frozen;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The names and the pairs that both sides know from the start, by number; specified in <c>docs/why/protocol.md</c>,
/// "Header blocks". Numbers never change: new names go to the end.
/// </summary>
internal static class HeaderNames
{
    public const int Method = 0;
    public const int Scheme = 1;
    public const int Authority = 2;
    public const int Path = 3;
    public const int Status = 4;
    public const int ContentType = 5;
    public const int Te = 6;
    public const int GrpcEncoding = 9;
    public const int GrpcStatus = 11;
    public const int GrpcMessage = 12;
    public const int ContentLength = 20;
    public const int Unknown = -1;

    /// <summary>How many pairs a side may have defined at once, with the pairs that are known from the start.</summary>
    public const int MaxPairs = 256;

    /// <summary>The first pair that a side may define.</summary>
    public const int FirstFreePair = 16;

    /// <summary>A longer value is never made a pair.</summary>
    public const int MaxPairValue = 1024;

    private static readonly string[] Names =
    [
        ":method", ":scheme", ":authority", ":path", ":status", "content-type", "te", "user-agent", "grpc-timeout",
        "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message", "grpc-status-details-bin",
        "traceparent", "tracestate", "baggage", "authorization", "date", "server", "content-length", "accept",
        "accept-encoding", "cookie", "set-cookie", "location", "grpc-previous-rpc-attempts", "grpc-retry-pushback-ms",
        "request-id", "correlation-context", "content-encoding", "cache-control", "vary", "etag", "www-authenticate",
    ];

    private static readonly FrozenDictionary<string, int> Numbers =
        Names.Select((name, i) => (name, i))
            .ToFrozenDictionary(p => p.name, p => p.i, StringComparer.OrdinalIgnoreCase);

    // Headers whose values tend to be the same from call to call. Never a header with a secret or a measured value.
    private static readonly bool[] Repeats =
    [
        .. Names.Select(static name => name is ":method" or ":scheme" or ":authority" or ":path" or ":status"
            or "content-type" or "te" or "user-agent" or "grpc-encoding" or "grpc-accept-encoding" or "accept"
            or "accept-encoding" or "server"),
    ];

    private static readonly HeaderPair[] KnownPairs =
    [
        new(Method, "POST"), new(Method, "GET"), new(Scheme, "http"), new(Scheme, "https"), new(Authority, "localhost"),
        new(Status, "200"), new(ContentType, "application/grpc"), new(Te, "trailers"), new(GrpcStatus, "0"),
        new(10, "identity,gzip,deflate"), new(GrpcEncoding, "identity"), new(GrpcEncoding, "gzip"),
    ];

    public static int Count => Names.Length;

    public static IReadOnlyList<HeaderPair> Pairs => KnownPairs;

    public static string NameOf(int number) => Names[number];

    /// <summary>The number of a name in any case, or <see cref="Unknown"/>.</summary>
    public static int NumberOf(string name) => Numbers.TryGetValue(name, out var number) ? number : Unknown;

    public static bool MayBePair(int name, string value) => Repeats[name] && value.Length <= MaxPairValue;
}
