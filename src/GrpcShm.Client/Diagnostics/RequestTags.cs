using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.Client.Diagnostics;

/// <summary>The tags of OpenTelemetry's conventions for HTTP clients, as .NET's own handler sets them.</summary>
internal static class RequestTags
{
    public const string ProtocolVersion = "2";

    public static TagList CreateCommon(HttpRequestMessage request)
    {
        var address = request.RequestUri!;
        return new TagList
        {
            { "url.scheme", address.Scheme },
            { "server.address", address.Host },
            { "server.port", address.Port },
            { "http.request.method", MethodOf(request) },
        };
    }

    /// <summary>
    /// Makes the tags of a request that has waited for a connection: for those .NET leaves out the default port.
    /// </summary>
    public static TagList CreateForQueue(HttpRequestMessage request)
    {
        var address = request.RequestUri!;
        var tags = new TagList
        {
            { "network.protocol.version", ProtocolVersion },
            { "url.scheme", address.Scheme },
            { "server.address", address.Host },
            { "http.request.method", MethodOf(request) },
        };
        if (!address.IsDefaultPort)
        {
            tags.Add("server.port", address.Port);
        }

        return tags;
    }

    public static void AddOutcome(ref TagList tags, HttpResponseMessage? response, Exception? failure)
    {
        if (response is not null)
        {
            tags.Add("http.response.status_code", (int)response.StatusCode);
            tags.Add("network.protocol.version", ProtocolVersion);
        }

        if (ErrorOf(response, failure) is { } error)
        {
            tags.Add("error.type", error);
        }
    }

    /// <summary>The version of a response. It is not 2 only if the request did not go in direct mode.</summary>
    public static string VersionOf(HttpResponseMessage response) =>
        response.Version.Major >= 2 ? ProtocolVersion : response.Version.ToString(2);

    /// <summary>
    /// The method if it is one of the standard, else <c>_OTHER</c>, so that requests cannot make any number of series.
    /// </summary>
    public static string MethodOf(HttpRequestMessage request) => request.Method.Method switch
    {
        "GET" or "POST" or "PUT" or "DELETE" or "HEAD" or "OPTIONS" or "PATCH" or "TRACE" or "CONNECT" =>
            request.Method.Method,
        _ => "_OTHER",
    };

    public static string? ErrorOf(HttpResponseMessage? response, Exception? failure)
    {
        if (response is not null)
        {
            var status = (int)response.StatusCode;
            return status is >= 400 and <= 599 ? status.ToString(CultureInfo.InvariantCulture) : null;
        }

        return (failure as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.ConnectionError => "connection_error",
            HttpRequestError.SecureConnectionError => "secure_connection_error",
            HttpRequestError.HttpProtocolError => "http_protocol_error",
            HttpRequestError.ResponseEnded => "response_ended",
            HttpRequestError.InvalidResponse => "invalid_response",
            HttpRequestError.VersionNegotiationError => "version_negotiation_error",
            _ => failure?.GetType().FullName,
        };
    }
}
