namespace GrpcShm.Differential.Responses;

/// <summary>The parts from which responses are made.</summary>
internal static class ResponseTexts
{
    public static readonly int[] Statuses =
    [
        200, 200, 201, 202, 203, 204, 205, 206, 299, 300, 301, 302, 304, 307, 399, 400, 401, 403, 404, 408, 413, 429,
        431, 499, 500, 501, 502, 503, 504, 599, 600, 700, 998, 999
    ];

    // These are statuses that a handler should not set.
    public static readonly int[] BadStatuses = [100, 101, 102, 103, 150, 199, 0, 1, 99, 1000, 65536, -1, int.MaxValue];

    public static readonly string[] Names =
    [
        "x-text", "x-text", "X-Mixed-Case", "x-bin", "grpc-status", "grpc-message", "grpc-encoding",
        "grpc-accept-encoding", "set-cookie", "etag", "vary", "cache-control", "content-encoding", "content-language",
        "content-disposition", "content-location", "content-range", "content-md5", "last-modified", "expires", "allow",
        "age", "accept-ranges", "location", "retry-after", "www-authenticate", "via", "warning", "pragma", "trailer",
        "alt-svc", "access-control-allow-origin", "proxy-authenticate", "grpc-status-details-bin", "request-id",
        "traceparent", "!#$%&'*+-.^_`|~9",
    ];

    public static readonly string[] RequestNames =
    [
        "accept", "user-agent", "host", "te", "authorization", "cookie", "expect", "from", "if-match", "range",
        "referer", "max-forwards", "accept-encoding", "grpc-timeout", "origin"
    ];

    public static readonly string[] ConnectionNames =
    [
        "connection", "Connection", "transfer-encoding", "Transfer-Encoding", "keep-alive", "upgrade",
        "proxy-connection", "Keep-Alive", "date", "Date", "server", "Server"
    ];

    public static readonly string[] BadNames =
    [
        "", " ", "x y", ":status", ":x", "x:", "x\0", "x\r\n", "x\t", "\u00e9", "x(y)", "x/y", "x,y", "x;", "x=", "x@",
        "x[", "x{", "x\"", "x\\", "x\u007f", "\ud800", "\u4e16"
    ];

    public static readonly string[] Values =
    [
        "", "v", "some text", "gzip", "a,b,c", "a; b=c", "\"quoted\"", "AAECAw==", "0", "13", "no-store",
        "Thu, 01 Jan 1970 00:00:00 GMT", "*", "a  b", "text/plain", "trailers", "close", "chunked",
        "~!@#$%^&*()_+`-={}|[]<>?,./"
    ];

    public static readonly string[] BadValues =
    [
        " v", "v ", "\tv", "a\tb", "\0", "a\0b", "a\rb", "a\nb", "a\r\nx-evil: 1", "\u0001", "a\u007fb", "\u001b[31m",
        "\u00e9", "\u4e16", "\ud83d\ude00", "\ud800", "\udc00x", "\u0080", "\u2028", " ", "\t",
    ];

    public static readonly string[] Lengths =
    [
        "0", "1", "5", "100", "-1", "+1", " 1", "1 ", "1,1", "abc", "", "99999999999999999999", "9223372036854775807",
        "1e2", "0x1"
    ];

    public static readonly string[] ContentTypes =
        ["application/grpc", "application/grpc+proto", "application/json", "text/html; charset=utf-8", "x", ""];

    public static readonly int[] Sizes = [0, 1, 5, 10, 100, 1000, 4096, 5000, 20_000, 70_000];

    // Not 7, which says that a call was not begun: a client then sends it again, and the two clients do so in different
    // numbers.
    public static readonly int[] ResetCodes = [0, 1, 2, 5, 8, 11, 13, 255, int.MaxValue];
}
