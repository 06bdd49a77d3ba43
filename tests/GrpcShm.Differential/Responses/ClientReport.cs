using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Responses;

/// <summary>Sends a request and reports all that its caller can see of the response.</summary>
internal static class ClientReport
{
    // This is longer than any step takes, also on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<string> SendAsync(HttpMessageInvoker client, ResponseAct act)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/differential.Responses/Play")
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add(ResponseActor.Header, act.Id.ToString(CultureInfo.InvariantCulture));
        var text = new StringBuilder();
        try
        {
            using var response = await client.SendAsync(request, timeout.Token);
            Line(text, "status", (int)response.StatusCode);
            Line(text, "version", response.Version);
            Line(text, "reason", response.ReasonPhrase);
            Describe(text, "header", response.Headers);
            Describe(text, "content header", response.Content.Headers);
            using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
            var bytes = new MemoryStream();
            await body.CopyToAsync(bytes, timeout.Token);
            var hash = System.Security.Cryptography.SHA256.HashData(bytes.ToArray());
            Line(
                text,
                "body",
                DocumentedDifferences.HasBody(response.Content.Headers)
                    ? $"{bytes.Length} bytes, {Convert.ToHexString(hash, 0, 8)}"
                    : "none");
            Describe(text, "trailer", response.TrailingHeaders);
            return text.ToString();
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return "no end\n";
        }
        catch (Exception exception)
        {
            // It may fail before the response or after it, depending on the time at which its reader reads.
            return $"failed: {Describe(act.Script, exception)}\n";
        }
    }

    private static string Describe(ResponseScript script, Exception exception)
    {
        HttpRequestError? error = null;
        long? code = null;
        for (var e = exception; e is not null; e = e.InnerException)
        {
            error ??= e is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } failed
                ? failed.HttpRequestError
                : null;
            error ??= e is HttpIOException io ? io.HttpRequestError : null;
            code ??= e is HttpProtocolException protocol ? protocol.ErrorCode : null;
        }

        if (DocumentedDifferences.IsInvalidResponse(script, error, code))
        {
            return "no valid response";
        }

        var type = exception is HttpRequestException or IOException
            ? "HttpRequestException or IOException"
            : exception.GetType().Name;
        return $"{type} {error} {code}";
    }

    private static void Describe(StringBuilder text, string what, HttpHeaders headers)
    {
        var sorted = headers.NonValidated.OrderBy(static h => h.Key, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in sorted)
        {
            if (DocumentedDifferences.IsOfServer(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                Line(text, $"{what} {name}", Shown.Text(value));
            }
        }
    }

    private static void Line<T>(StringBuilder text, string name, T value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}: {value}").Append('\n');
}
