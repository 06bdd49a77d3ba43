using System.Collections;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// A line in which hosting logs that a request starts, or has finished: its text, and the values in it for structured
/// logs. A logger may keep it beyond the end of the request.
/// </summary>
internal sealed class RequestLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string None = "-";
    private const string Target = "{Protocol} {Method} {Scheme}://{Host}{PathBase}{Path}{QueryString}";

    private readonly KeyValuePair<string, object?>[] _values;
    private readonly string _text;

    private RequestLine(KeyValuePair<string, object?>[] values, string text)
    {
        _values = values;
        _text = text;
    }

    public int Count => _values.Length;

    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <summary>Logs that a request starts.</summary>
    public static void LogStart(ILogger logger, IHttpRequestFeature request)
    {
        var host = HostOf(request);
        var type = (string?)request.Headers.ContentType;
        var length = request.Headers.ContentLength;
        var line = new RequestLine(
            [
                new("Protocol", request.Protocol),
                new("Method", request.Method),
                new("ContentType", type),
                new("ContentLength", length),
                new("Scheme", request.Scheme),
                new("Host", host),
                new("PathBase", request.PathBase),
                new("Path", request.Path),
                new("QueryString", request.QueryString),
                new("{OriginalFormat}", $"Request starting {Target} - {{ContentType}} {{ContentLength}}"),
            ],
            $"Request starting {Write(request, host)} - {Write(type)} {Write(length)}");
        Log(logger, 1, line);
    }

    /// <summary>Logs that a request has finished.</summary>
    public static void LogEnd(
        ILogger logger, IHttpRequestFeature request, IHttpResponseFeature response, TimeSpan duration)
    {
        const string format =
            $"Request finished {Target} - {{StatusCode}} {{ContentLength}} {{ContentType}} {{ElapsedMilliseconds}}ms";
        var host = HostOf(request);
        var type = (string?)response.Headers.ContentType;
        var length = response.Headers.ContentLength;
        var milliseconds = duration.TotalMilliseconds;
        var line = new RequestLine(
            [
                new("ElapsedMilliseconds", milliseconds),
                new("StatusCode", response.StatusCode),
                new("ContentType", type),
                new("ContentLength", length),
                new("Protocol", request.Protocol),
                new("Method", request.Method),
                new("Scheme", request.Scheme),
                new("Host", host),
                new("PathBase", request.PathBase),
                new("Path", request.Path),
                new("QueryString", request.QueryString),
                new("{OriginalFormat}", format),
            ],
            string.Create(
                CultureInfo.InvariantCulture,
                $"Request finished {Write(request, host)} - {response.StatusCode} {Write(length)} {Write(type)} "
                + $"{milliseconds:0.0000}ms"));
        Log(logger, 2, line);
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _text;

    private static void Log(ILogger logger, int id, RequestLine line) =>
        logger.Log(LogLevel.Information, id, line, exception: null, static (line, _) => line.ToString());

    private static string? HostOf(IHttpRequestFeature request) =>
        HostString.FromUriComponent(request.Headers.Host.ToString()).Value;

    private static string Write(IHttpRequestFeature request, string? host) =>
        $"{request.Protocol} {request.Method} {request.Scheme}://{host}{request.PathBase}{request.Path}"
        + request.QueryString;

    // Readers split these lines at spaces.
    private static string Write(string? value) => string.IsNullOrEmpty(value) ? None : value.Replace(' ', '+');

    private static string Write(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? None;
}
