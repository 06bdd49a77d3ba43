namespace GrpcShm.Differential.Requests;

/// <summary>The parts from which requests are made.</summary>
internal static class RequestTexts
{
    public static readonly string[] GoodPaths =
    [
        "/greet.Greeter/SayHello", "/a/b", "/pkg.v1.Service_X/Method-1", "/a/b/c", "/grpc.health.v1.Health/Check",
        "/~x/.hidden", "/a.../b..c", "/A/B",
    ];

    public static readonly string[] Paths =
    [
        "", "/", "*", "a/b", "//a/b", "/a//b", "/a/b/", "/a/./b", "/a/../b", "/public/../private/s", "/a/b/..",
        "/a/b/.", "/..", "/../../etc/passwd",
        "/a/%2e%2e/b", "/a/%2E/b", "/a%2fb/c", "/a%5cb/c", "/a/b%00", "/a/%", "/a/%2", "/a/%zz", "/a/%41", "/a/%c3%a9",
        "/a/%ff", "/a/b%20c", "/a/b c",
        "/a/b?", "/a/b?x=1", "/a/b?x=%00", "/a/b?x#y", "/a/b#c", "/a\\b/c", "/a\\..\\b/c", "http://localhost/a/b",
        "/a/\u00e9", "\u00ff/a/b\u00e9", "/a/b\0c", "/a/b\r\nx",
        "/a/b;c=d", "/a:b/c", "/a/b,c", "/a/b'", "/a/b(c)", "/a/b+c", "/a/b@c", "/a/b=c", "/a/b!c", "/a/b$c", "/a/b&c",
        "/a/b|c", "/a/b\"c", "/a/b<c>", "/a/b^c", "/a/b`c", "/a/{b}",
        "/a/b\t", " /a/b", "/a/b ", "?x", "/?", "/%2e%2e/%2e%2e/x", "/a/.../b", "/a/..../b", "/./a/b",
        "/a/b/%2e%2e%2fc", "/a/b%0d%0a", "/a/b%7f", "/a/\u007f", "/a/%u0041", "/onlyone",
    ];

    public static readonly string[] PathPieces =
    [
        "a", "b.c", "/", "/", "/", ".", "..", "/../", "/./", "%", "%2e", "%2f", "%5c", "%00", "%25", "%41", "%c3",
        "%a9", "?", "#", "\\", " ", "\u00e9", ":", ";", "~", "_", "-", "+", "&=",
    ];

    public static readonly string[] GoodAuthorities =
    [
        "localhost", "localhost:5000", "example.com", "EXAMPLE.com:80", "127.0.0.1", "127.0.0.1:65535", "[::1]",
        "[::1]:80", "a-b.c_d", "x", "shm",
    ];

    public static readonly string[] Authorities =
    [
        "", " ", "local host", "localhost ", " localhost", "localhost:", "localhost:0", "localhost:99999",
        "localhost:abc", "localhost:-1", "localhost:80:80", "user@localhost", "user:pw@localhost",
        "[::1", "::1", "[::1]x", "[::1]:", "[1.2.3.4]", "[fe80::1%25eth0]", "[g::1]", "[]", "a\0b", "a\tb", "a\rb",
        "a\nb", "a\u007fb", "\u00e9.com", "\u00ff\u00e9", "xn--9ca.com", "a/b", "a?b", "a#b", "a\\b", "a,b", "a;b",
        "a*b",
        "*", "a..b", ".", "-", "_", "a%20b", "a|b", "a<b", "a\"b", "a'b", "a(b)", "a!b", "a$b", "a&b", "a=b", "a+b",
        "a~b", "http://localhost", ":80", "localhost:00080", "localhost:65536", "LOCALHOST",
        new('a', 133), // more characters than a part of a host name may have
    ];

    public static readonly string[] GoodContentTypes =
    [
        "application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc;charset=utf-8",
        "application/grpc; x=y", "application/grpc+"
    ];

    public static readonly string[] ContentTypes =
    [
        "", "application/grpc-web", "application/grpc-web+proto", "application/json", "application/grpcx",
        "Application/gRPC", "application/GRPC", " application/grpc", "application/grpc ",
        "application/grpc, application/grpc",
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/grpc\0",
        "application/grpc+\u00e9", "application/grpc; \u00ff", "grpc", "application/grpc/x",
    ];

    public static readonly string[] TransferCodings =
    [
        "", "Trailers", "TRAILERS", "trailers, gzip", "gzip", "trailers ", " trailers", "trailers;q=1",
        "trailers,trailers", "chunked", "trailer", "trailers\0", "deflate"
    ];

    public static readonly string[] Methods =
    [
        "post", "Post", "POSt", "GET", "get", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PRI",
        "", " POST", "POST ", "PO ST", "POST\0", "P\u00d6ST", "\u00ffP", "FOO", "QUERY", "POST,GET", "(POST)",
        "POSTPOST",
    ];

    public static readonly string[] Schemes =
    [
        "https", "HTTP", "Http", "HTTPS", "", "ftp", "http:", "ws", " http", "http ", "ht tp", "http\0", "\u00e9",
        "grpc", "unix"
    ];

    public static readonly string[] PseudoNames =
    [
        ":method", ":scheme", ":path", ":authority", ":status", ":protocol", ":", ":Method", ":unknown", ":host",
        ":path ", "::path"
    ];

    public static readonly string[] PseudoValues =
        ["POST", "http", "/a/b", "localhost", "200", "websocket", "", "GET", "/other/path", "evil.example"];

    public static readonly string[] GoodNames =
    [
        "x-text", "x-twice", "x-twice", "x-bin", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "user-agent",
        "traceparent", "tracestate", "baggage", "authorization", "accept", "accept-encoding", "cookie", "date",
        "server",
        "x", "!#$%&'*+-.^_`|~9", "grpc-previous-rpc-attempts", "request-id", "correlation-context", "content-encoding",
        "cache-control", "vary", "etag", "www-authenticate", "set-cookie", "location", "if-match", "origin", "referer",
        "range", "from", "pragma", "via", "warning", "max-forwards", "accept-charset", "accept-language",
        "access-control-request-method", "alt-used", "if-none-match", "sec-websocket-key", "upgrade-insecure-requests",
        "x-forwarded-for",
        "content-language", "content-md5", "last-modified", "expires", "allow", "trailer", "translate", "grpc-message",
        "grpc-status", "grpc-status-details-bin", "content-range", "content-location", "proxy-authorization", "dnt",
    ];

    public static readonly string[] GoodValues =
    [
        "", "v", "some text", "1S", "gzip", "identity,gzip", "Bearer abc.def", "a,b,c", "a; b=c", "\"quoted\"",
        "AAECAw==", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x=1", "5", "100", "*", "*/*",
        "\u00e9\u4e16\ud83d\ude00", "a  b",
    ];

    public static readonly string[] BadNames =
    [
        "", "X-Upper", "Content-Type", "TE", "x y", " x", "x ", "x:", ":x", "x\0", "x\r\nevil", "x\n", "x\t", "\u00e9",
        "x(y)", "x/y", "x,y", "x;y", "x=y", "x@y", "x[y]", "x{y}", "x\"y", "x\\y", "x\u007f", "grpc-Timeout", "host",
        "Host",
        "x<y>", "x?y",
    ];

    public static readonly string[] BadValues =
    [
        " v", "v ", "\tv", "v\t", "a\tb", "\0", "a\0b", "a\rb", "a\nb", "a\r\nb: c", "\u0001", "a\u007fb", "\u001b[31m",
        "\u0008", "\u00ff\u00e9", "\u00ff\u0080\u0081", " ", "\t", "\u2028", "\u202e", "\u00a0", "\ufeff", "a\u0085b",
        "\u0000\u0000",
    ];

    public static readonly string[] ContentLengths =
    [
        "", "0", "-1", "+5", "5 ", " 5", "5,5", "5, 5", "0x5", "abc", "99999999999999999999", "9223372036854775807",
        "9223372036854775808", "30000001", "1e3", "5.0", "00005", "\u0665", "1 2"
    ];

    public static readonly string[] ConnectionNames =
    [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "host", "te", "expect",
        "http2-settings"
    ];

    public static readonly string[] ConnectionValues =
    [
        "close", "keep-alive", "timeout=5", "chunked", "websocket", "localhost", "evil.example", "trailers", "gzip",
        "100-continue", "", "identity"
    ];

    public static readonly string[] Cookies =
        ["a=1", "b=2; c=3", "", "a=2", ";", "a", "a=\"x\"", "\u00e9=1", "a=1; a=2", " a=1", "a=b=c", "a=1;"];
}
