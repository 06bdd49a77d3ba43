using System.Net;
using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// Says which requests direct mode carries: gRPC's and no others, see docs/why/protocol.md. The reasons are parts of
/// messages for people.
/// </summary>
internal static class DirectRequests
{
    private const string PathReason =
        "its address is not 'http://' with a path of two or more plain segments and without a query, "
        + "as '/package.Service/Method' is";

    /// <summary>
    /// True if direct mode may carry a request, as far as can be said without its address and its headers. Asked for
    /// each call, so it is short.
    /// </summary>
    public static bool MayBeCarried(HttpRequestMessage request) =>
        request.Content is not null && IsPost(request) && request.Version == HttpVersion.Version20;

    /// <summary>Says why direct mode does not carry a request.</summary>
    /// <returns>The reason; nothing if direct mode carries the request.</returns>
    public static string? WhyNot(HttpRequestMessage request, CallTarget target)
    {
        if (!IsPost(request))
        {
            return $"its method is {request.Method}";
        }

        if (request.Version != HttpVersion.Version20)
        {
            return $"its version is {request.Version}";
        }

        if (!target.IsCarried)
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

    /// <summary>Makes the exception for a request that cannot go another way.</summary>
    public static HttpRequestException Refuse(string reason) =>
        new("Direct mode carries gRPC calls alone (POST, version 2.0, content-type 'application/grpc', "
            + $"'te: trailers'), and not this request: {reason}. "
            + "Leave the client's Mode at Auto, which sends all others over HTTP/2, or set it to Http2.");

    private static bool IsPost(HttpRequestMessage request) => request.Method.Method == GrpcRequestRules.Method;
}
