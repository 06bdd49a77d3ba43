using System.Globalization;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using HeaderNames = GrpcShm.Transport.Calls.HeaderNames;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>Holds and writes the status, the headers and the trailers of a response. By the handler.</summary>
internal sealed class ResponseHead(ServerCall call)
{
    private ResponseHeaders? _trailers;

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public ResponseHeaders Headers { get; } =
        new(call.Connection.Application.Kestrel.ResponseHeaderEncodingSelector, areTrailers: false);

    /// <summary>
    /// True if a response with this status may have a length. An interim status and the status 204 have none.
    /// </summary>
    public bool MayHaveLength =>
        StatusCode is (< StatusCodes.Status100Continue or >= StatusCodes.Status200OK)
            and not StatusCodes.Status204NoContent;

    /// <summary>The trailers.</summary>
    /// <param name="areSent">True if they have been sent, so that no trailer may be added any more.</param>
    public ResponseHeaders GetTrailers(bool areSent)
    {
        if (_trailers is null)
        {
            _trailers = new ResponseHeaders(
                call.Connection.Application.Kestrel.ResponseHeaderEncodingSelector, areTrailers: true);
            if (areSent)
            {
                _trailers.SetReadOnly();
            }
        }

        return _trailers;
    }

    /// <summary>
    /// Writes status and headers. They go with the first flush, or with the end, and cannot be changed any more.
    /// </summary>
    /// <exception cref="InvalidOperationException">They are too large for a call. None of them is sent.</exception>
    public void WriteHeaders()
    {
        var block = call.CallStream.Headers;
        block.Begin();
        try
        {
            block.Add(
                HeaderNames.Status,
                StatusCode == StatusCodes.Status200OK ? "200" : StatusCode.ToString(CultureInfo.InvariantCulture),
                call.CallStream.Connection.SentPairs);
            Write(block, Headers);
        }
        catch
        {
            // Headers that do not fit must not be sent in part.
            block.Clear();
            throw;
        }
    }

    /// <summary>Writes the trailers, if there are any. They go with the end, and cannot be changed any more.</summary>
    public void WriteTrailers()
    {
        if (_trailers is { Count: > 0 } trailers)
        {
            call.CallStream.Trailers.Begin();
            Write(call.CallStream.Trailers, trailers);
        }

        _trailers?.SetReadOnly();
    }

    /// <summary>Makes it the head of an error without a body. Before it is written.</summary>
    public void SetError(int statusCode)
    {
        Headers.Reset();
        _trailers?.Reset();
        StatusCode = statusCode;
        ReasonPhrase = null;
        Headers.ContentLength = 0;
    }

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        Headers.Reset();
        _trailers?.Reset();
        StatusCode = StatusCodes.Status200OK;
        ReasonPhrase = null;
    }

    /// <summary>True for a header of a connection, which a call does not send, as in HTTP/2.</summary>
    private static bool IsOfConnection(string name) => name.Length switch
    {
        7 => Is(name, "Upgrade"),
        10 => Is(name, "Connection") || Is(name, "Keep-Alive"),
        16 => Is(name, "Proxy-Connection"),
        17 => Is(name, "Transfer-Encoding"),
        _ => false,
    };

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private void Write(HeaderBlock block, ResponseHeaders headers)
    {
        var pairs = call.CallStream.Connection.SentPairs;
        foreach (var (name, values) in headers)
        {
            // A pair that was sent before was checked before.
            if (values.Count == 1 && values[0] is { } only && block.TryRepeat(name, only, pairs))
            {
                continue;
            }

            if (!headers.AreTrailers && IsOfConnection(name))
            {
                continue;
            }

            for (var i = 0; i < values.Count; i++)
            {
                block.Add(name, values[i] ?? "", pairs);
            }
        }
    }
}
