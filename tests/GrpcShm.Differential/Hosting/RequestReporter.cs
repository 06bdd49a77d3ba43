using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.Differential.Hosting;

/// <summary>The application for requests: it reports all that it can see of a request.</summary>
internal sealed class RequestReporter(ReportBook book)
{
    // This is longer than any step takes, also on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public async Task HandleAsync(HttpContext context)
    {
        var headers = context.Features.GetRequiredFeature<IHttpRequestFeature>().Headers;
        if (!CallMark.TryParse(headers[CallMark.Header], out var mark))
        {
            book.AddStray();
            return;
        }

        if (book.Find(mark) is not { } report)
        {
            // Another request has ended its connection, and it has been sent again.
            return;
        }

        report.Begin();
        var text = new StringBuilder(1024);
        try
        {
            Describe(context, mark, text);
            await ReadAsync(context, mark.Reading, report, text);
            DescribeEnd(context, mark, text);
        }
        finally
        {
            report.End(text.ToString());
        }

        context.Response.ContentType = "application/grpc";
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static void Describe(HttpContext context, CallMark mark, StringBuilder text)
    {
        var request = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        Line(text, "method", Shown.Text(request.Method));
        Line(text, "scheme", Shown.Text(request.Scheme));
        Line(text, "protocol", Shown.Text(request.Protocol));
        Line(text, "path base", Shown.Text(request.PathBase));
        Line(text, "path", Shown.Text(request.Path));
        Line(text, "query", Shown.Text(request.QueryString));
        Line(text, "raw target", Shown.Text(request.RawTarget));
        Line(text, "is https", context.Request.IsHttps);
        Line(text, "host", Shown.Text(context.Request.Host.Value));
        Line(text, "has form", context.Request.HasFormContentType);
        Line(text, "content length", context.Request.ContentLength?.ToString(CultureInfo.InvariantCulture) ?? "none");
        DescribeHeaders(text, "header", request.Headers);
        var cookies = context.Request.Cookies.Select(c => $"{Shown.Text(c.Key)}={Shown.Text(c.Value)}");
        Line(text, "cookies", string.Join("; ", cookies));
        DescribeFeatures(context, mark, text);
    }

    private static void DescribeHeaders(StringBuilder text, string what, IHeaderDictionary headers)
    {
        var areTrailers = what == "trailer";
        Line(
            text,
        $"{what} count",
        areTrailers ? headers.Count(static h => DocumentedDifferences.IsShown(h.Value.ToString())) : headers.Count);
        foreach (var (name, values) in areTrailers ? DocumentedDifferences.Order(headers) : headers)
        {
            foreach (var value in values)
            {
                if (areTrailers && !DocumentedDifferences.IsShown(value ?? ""))
                {
                    continue;
                }

                var isMark = name.Equals(CallMark.Header, StringComparison.OrdinalIgnoreCase);
                Line(text, $"{what} {Shown.Text(name)}", isMark ? "(which)" : Shown.Text(value));
            }
        }
    }

    private static void DescribeFeatures(HttpContext context, CallMark mark, StringBuilder text)
    {
        var features = context.Features;
        var canHaveBody = features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody;
        Line(text, "can have body", mark.IsEndSeparate || canHaveBody);
        var size = features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
        Line(text, "max body", $"{size.MaxRequestBodySize} {size.IsReadOnly}");
        Line(text, "synchronous", features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO);
        var connection = features.GetRequiredFeature<IHttpConnectionFeature>();
        Line(
            text,
            "connection",
            $"{connection.RemoteIpAddress}:{connection.RemotePort} {connection.LocalIpAddress}:{connection.LocalPort}");
        Line(text, "trailers before", DescribeAvailable(features.GetRequiredFeature<IHttpRequestTrailersFeature>()));
        Line(text, "certificate", features.Get<ITlsConnectionFeature>() is null);
        Line(text, "upgrade", features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest ?? false);
        Line(text, "extended connect", features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect ?? false);
        Line(text, "has started", context.Response.HasStarted);
        Line(text, "status", context.Response.StatusCode);
        Line(text, "aborts", context.RequestAborted.CanBeCanceled);
    }

    // All data may or may not have arrived by now. But if some is missing, there can be no trailers.
    private static string DescribeAvailable(IHttpRequestTrailersFeature feature)
    {
        try
        {
            var wasAvailable = feature.Available;
            var count = feature.Trailers.Count;
            // The rest may have arrived between the two checks.
            return wasAvailable || feature.Available ? "" : count.ToString(CultureInfo.InvariantCulture);
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    private static async Task ReadAsync(HttpContext context, Reading reading, CallReport report, StringBuilder text)
    {
        var body = new MemoryStream();
        var outcome = "end";
        try
        {
            switch (reading)
            {
                case Reading.Nothing:
                    break;
                case Reading.Stream:
                    await ReadStreamAsync(context, body, report);
                    break;
                case Reading.Synchronously:
                    outcome = $"{context.Request.Body.Read(new byte[1])} bytes";
                    break;
                case Reading.Limited:
                    context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = 100;
                    await ReadPipeAsync(context, body, report, isOnce: false);
                    break;
                default:
                    await ReadPipeAsync(context, body, report, reading == Reading.Once);
                    break;
            }

            if (reading == Reading.Beyond)
            {
                var again = await context.Request.BodyReader.ReadAsync();
                outcome = $"end {again.Buffer.Length} {again.IsCompleted}";
                context.Request.BodyReader.AdvanceTo(again.Buffer.End);
            }
        }
        catch (Exception exception)
        {
            outcome = Shown.Failure(exception);
        }

        Line(text, "body ended by", outcome);
        var hasAll =
            outcome.StartsWith("end", StringComparison.Ordinal) && reading is not (Reading.Once or Reading.Nothing);
        if (hasAll)
        {
            var hash = System.Security.Cryptography.SHA256.HashData(body.ToArray());
            Line(text, "body", $"{body.Length} bytes, {Convert.ToHexString(hash, 0, 8)}");
            var trailers = context.Features.GetRequiredFeature<IHttpRequestTrailersFeature>();
            Line(text, "trailers after", trailers.Available);
            DescribeHeaders(text, "trailer", trailers.Trailers);
        }

        await DescribeAbortAsync(context, text, outcome);
    }

    private static async Task DescribeAbortAsync(HttpContext context, StringBuilder text, string outcome)
    {
        if (outcome == nameof(IOException))
        {
            // The client has reset the request, and its token is cancelled by another thread.
            try
            {
                await Task.Delay(Patience, context.RequestAborted);
                Line(text, "aborted", "never");
            }
            catch (OperationCanceledException)
            {
                Line(text, "aborted", true);
            }
        }
        else
        {
            Line(text, "aborted", context.RequestAborted.IsCancellationRequested);
        }
    }

    private static void DescribeEnd(HttpContext context, CallMark mark, StringBuilder text)
    {
        if (mark.IsEndSeparate)
        {
            return;
        }

        var size = context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
        string outcome;
        try
        {
            size.MaxRequestBodySize = 7;
            outcome = "set";
        }
        catch (Exception exception)
        {
            outcome = Shown.Failure(exception);
        }

        Line(text, "max body after", $"{outcome} {size.IsReadOnly}");
    }

    private static async Task ReadStreamAsync(HttpContext context, MemoryStream body, CallReport report)
    {
        var buffer = new byte[1000];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer)) > 0)
        {
            body.Write(buffer.AsSpan(0, count));
            report.Read(body.Length);
        }
    }

    private static async Task ReadPipeAsync(HttpContext context, MemoryStream body, CallReport report, bool isOnce)
    {
        while (true)
        {
            var result = await context.Request.BodyReader.ReadAsync();
            foreach (var piece in result.Buffer)
            {
                body.Write(piece.Span);
            }

            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            report.Read(body.Length);
            if (isOnce || result.IsCompleted)
            {
                return;
            }
        }
    }

    private static void Line<T>(StringBuilder text, string name, T value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}: {value}").Append('\n');
}
