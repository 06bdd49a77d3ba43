using System.Net.Http.Headers;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// Writes a request into a call: the headers, and then the content. By the sender of the request.
/// </summary>
internal sealed class RequestWriter(HttpExchange exchange)
{
    /// <summary>True if somebody listens to the steps of the request.</summary>
    public bool IsHeard { get; set; }

    /// <summary>Writes the headers.</summary>
    /// <returns>The reason why direct mode does not carry the request; nothing if it does.</returns>
    public string? WriteHeaders(HttpRequestMessage request, CallTarget target)
    {
        var stream = exchange.Call.CallStream;
        var block = stream.Headers;
        var pairs = stream.Connection.SentPairs;
        var content = request.Content!;
        var fields = new RequestFields();
        block.Begin();
        block.Add(HeaderNames.Method, "POST", pairs);
        block.Add(HeaderNames.Scheme, target.Scheme, pairs);
        block.Add(HeaderNames.Path, target.PathAndQuery, pairs);

        // A pseudo field has to come before all regular fields.
        var hasHost = request.Headers.NonValidated.TryGetValues("Host", out var host);
        var authority = hasHost ? host.ToString() : target.Authority;
        block.Add(HeaderNames.Authority, authority, pairs);
        if (Write(request.Headers, block, pairs, ref fields) is { } reason)
        {
            return reason;
        }

        // When this property is read, the content computes its length and adds it to its headers.
        _ = content.Headers.ContentLength;
        return Write(content.Headers, block, pairs, ref fields) ?? fields.WhyIncomplete;
    }

    /// <summary>Sends the content, and then the end of the request.</summary>
    public void SendContent(HttpContent content)
    {
        var stream = new RequestStream(exchange);
        Task copy;
        try
        {
            // Without a token: gRPC's contents end when their call does, and a token would cost each call.
            copy = content.CopyToAsync(stream);
        }
        catch (Exception exception)
        {
            Fail(stream, exception);
            return;
        }

        if (copy.IsCompletedSuccessfully)
        {
            End(stream, canRepeat: true);
        }
        else
        {
            exchange.Call.KeepFromReuse();
            if (!copy.IsCompleted)
            {
                stream.LetGo();
            }

            _ = SendRestAsync(copy, stream);
        }
    }

    private static string? Write(HttpHeaders headers, HeaderBlock block, SentPairs pairs, ref RequestFields fields)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            var value = values.ToString();
            if (block.TryRepeat(name, value, pairs))
            {
                fields.TakeKnown(name);
                continue;
            }

            var host = fields.Host;
            if (fields.Take(name, value) is { } reason)
            {
                return reason;
            }

            if (ReferenceEquals(fields.Host, host))
            {
                block.Add(name, value, pairs);
            }
        }

        return null;
    }

    private async Task SendRestAsync(Task copy, RequestStream stream)
    {
        try
        {
            await copy.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Fail(stream, exception);
            return;
        }

        End(stream, canRepeat: false);
    }

    private void End(RequestStream stream, bool canRepeat)
    {
        stream.End();
        if (IsHeard)
        {
            // Before the end is sent: the server may wait for it before it responds.
            HttpEvents.WriteContentSent(stream.WrittenBytes);
        }

        exchange.Call.EndRequest(canRepeat);
    }

    private void Fail(RequestStream stream, Exception exception)
    {
        stream.End();
        exchange.Call.FailRequest(exception, CallFailures.CreateReading(exception));
    }
}
