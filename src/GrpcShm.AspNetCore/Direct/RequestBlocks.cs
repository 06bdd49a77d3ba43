using System.Globalization;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Reads the blocks of a request, and counts its data. The application sees the same as Kestrel would show it of the
/// same request over HTTP/2, or the call is reset before any code of the application runs. By the thread that receives,
/// unless a method says otherwise.
/// </summary>
internal sealed class RequestBlocks(ServerCall call, ServerRequest request)
{
    private static readonly object ValidAuthority = new();

    private readonly RequestFields _fields = new();
    private int _headerCount;
    private int _headerSize;
    private long _received;

    [Flags]
    private enum Seen
    {
        None = 0,
        Method = 1,
        Scheme = 2,
        Authority = 4,
        Path = 8,
        ContentType = 16,
        Te = 32,
        Needed = Method | Scheme | Authority | Path | ContentType | Te,
        Regular = 64,
    }

    /// <summary>The content-length of the request, if it has one.</summary>
    public long? ContentLength { get; private set; }

    /// <summary>Reads the headers.</summary>
    /// <exception cref="MalformedCallException">The application must not see such headers.</exception>
    public void ReadHeaders(ref HeaderReader headers)
    {
        var seen = Seen.None;
        var authorityLength = 0;
        _fields.Clear();
        while (headers.Read())
        {
            switch (headers.Number)
            {
                case HeaderNames.Method:
                    Expect(ref seen, Seen.Method, headers, GrpcRequestRules.Method);
                    break;
                case HeaderNames.Scheme:
                    Expect(ref seen, Seen.Scheme, headers, GrpcRequestRules.Scheme);
                    break;
                case HeaderNames.Authority:
                    See(ref seen, Seen.Authority, headers, IsAuthority(headers.Pair, headers.Value));
                    authorityLength = headers.Value.Length;
                    _fields.Add(RequestHeaderNames.Host.Name, headers.Value, RequestHeaderNames.Host.Order);
                    break;
                case HeaderNames.Path:
                    See(ref seen, Seen.Path, headers, TrySetTarget(headers.Pair, headers.Value));
                    break;
                case HeaderNames.Status:
                    throw CreateMalformed("The request has a ':status'.");
                case HeaderNames.ContentType:
                    See(ref seen, Seen.ContentType, headers, GrpcRequestRules.IsContentType(headers.Value));
                    AddField(headers);
                    break;
                case HeaderNames.Te:
                    Expect(ref seen, Seen.Te, headers, GrpcRequestRules.Te);
                    AddField(headers);
                    break;
                case HeaderNames.ContentLength:
                    SetContentLength(headers.Value);
                    AddField(headers);
                    break;
                default:
                    AddField(headers);
                    break;
            }

            if (headers.Number is < HeaderNames.Method or > HeaderNames.Status)
            {
                seen |= Seen.Regular;
            }
        }

        if ((seen & Seen.Needed) != Seen.Needed)
        {
            throw CreateMalformed($"The request lacks a field that every gRPC request has: {Seen.Needed & ~seen}.");
        }

        var most = call.Limits.MaxRequestLineSize;
        var fixedLength = GrpcRequestRules.Method.Length + GrpcRequestRules.Scheme.Length;
        var path = request.Path;
        if (fixedLength + authorityLength + path.Length > most)
        {
            throw CreateMalformed($"The request's authority and path are longer than {most} (MaxRequestLineSize).");
        }

        _headerCount = headers.Fields;
        _headerSize = headers.Size;
        request.SetHead(GrpcRequestRules.Method, GrpcRequestRules.Scheme);
        _fields.MoveTo(request.Headers);
    }

    /// <summary>Refuses a request with more headers than the server takes. By the handler.</summary>
    /// <exception cref="BadHttpRequestException">There are too many, or they are too large.</exception>
    public void CheckHeaders()
    {
        var limits = call.Limits;
        if (_headerCount > limits.MaxRequestHeaderCount)
        {
            throw new BadHttpRequestException(
                $"The request has {_headerCount} headers; the server takes {limits.MaxRequestHeaderCount} "
                + "(MaxRequestHeaderCount).",
                StatusCodes.Status431RequestHeaderFieldsTooLarge);
        }

        if (_headerSize > limits.MaxRequestHeadersTotalSize)
        {
            throw new BadHttpRequestException(
                $"The request's headers have {_headerSize} bytes; the server takes {limits.MaxRequestHeadersTotalSize} "
                + "(MaxRequestHeadersTotalSize).",
                StatusCodes.Status431RequestHeaderFieldsTooLarge);
        }
    }

    /// <summary>
    /// Decodes the values of the headers in the encodings of the server's options, if these have any. Encodings are
    /// foreign code. By the handler.
    /// </summary>
    /// <exception cref="MalformedCallException">A value has a line break or a zero in it.</exception>
    public void DecodeHeaders() => RequestDecoding.Decode(request.Headers, call.Connection.Application.Kestrel);

    /// <summary>Reads the trailers.</summary>
    /// <exception cref="MalformedCallException">The application must not see such trailers.</exception>
    public void ReadTrailers(ref HeaderReader trailers)
    {
        var mostFields = call.Limits.MaxRequestHeaderCount;
        var mostBytes = call.Limits.MaxRequestHeadersTotalSize;
        _fields.Clear();
        while (trailers.Read())
        {
            // Headers and trailers count together, as in Kestrel.
            if (_headerCount + trailers.Fields > mostFields || trailers.Size > mostBytes)
            {
                throw new MalformedCallException(
                    CallError.TooMuch,
                    $"The request has more than {mostFields} headers and trailers (MaxRequestHeaderCount), "
                    + $"or its trailers have more than {mostBytes} bytes (MaxRequestHeadersTotalSize).");
            }

            if (trailers.Number is >= HeaderNames.Method and <= HeaderNames.Status
                || RequestHeaderNames.Find(trailers.Number, trailers.Name).IsForbidden
                || (trailers.Number == HeaderNames.Te && trailers.Value != GrpcRequestRules.Te))
            {
                throw CreateMalformed($"The request has '{PeerText.Clean(trailers.Name)}' among its trailers.");
            }

            // Trailers are shown as they came, in spelling and in order.
            _fields.Add(trailers.Name, trailers.Value, order: 0);
        }

        _fields.MoveTo(request.Trailers);
    }

    /// <summary>Counts data that is about to be shown to the reader.</summary>
    /// <exception cref="MalformedCallException">There are more or fewer bytes than the content-length says.</exception>
    public void CountData(int count, bool hasEnded)
    {
        _received += count;
        if (ContentLength is { } length && (_received > length || (hasEnded && _received < length)))
        {
            throw CreateMalformed($"The request's content-length is {length}, and {_received} bytes of it have come.");
        }

        if (hasEnded)
        {
            request.EndBody(isMissing: !call.IsStarted && _received == 0);
        }
    }

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        _fields.Clear();
        _headerCount = 0;
        _headerSize = 0;
        ContentLength = null;
        _received = 0;
    }

    /// <summary>Notes a field that may be there once; a pseudo field has to come before all regular fields.</summary>
    private static void See(ref Seen seen, Seen field, in HeaderReader headers, bool isValid)
    {
        if (!isValid)
        {
            throw CreateMalformed(
                $"Direct mode does not carry a request with '{headers.Name}: {PeerText.Clean(headers.Value)}'. "
                + "It carries gRPC alone; other requests go over HTTP/2.");
        }

        if ((seen & field) != 0 || (field <= Seen.Path && (seen & Seen.Regular) != 0))
        {
            throw CreateMalformed($"The request's '{headers.Name}' is there twice, or behind a regular header.");
        }

        seen |= field;
    }

    private static void Expect(ref Seen seen, Seen field, in HeaderReader headers, string value) =>
        See(ref seen, field, headers, headers.Value == value);

    private static bool IsAuthority(HeaderPair? pair, string value)
    {
        if (ReferenceEquals(pair?.Tag, ValidAuthority))
        {
            return true;
        }

        var isValid = GrpcRequestRules.IsAuthority(value);
        if (isValid && pair is not null)
        {
            pair.Tag = ValidAuthority;
        }

        return isValid;
    }

    private static MalformedCallException CreateMalformed(string message) => new(CallError.Protocol, message);

    private void AddField(in HeaderReader headers)
    {
        var shown = RequestHeaderNames.Find(headers.Number, headers.Name);
        if (shown.IsForbidden)
        {
            throw CreateMalformed($"The request has a header '{headers.Name}', which a call cannot have.");
        }

        _fields.Add(shown.Name, headers.Value, shown.Order);
    }

    private void SetContentLength(string value)
    {
        // Only the usual notation is taken, since Kestrel shows the number in that notation.
        if (ContentLength is not null
            || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || value != length.ToString(CultureInfo.InvariantCulture))
        {
            throw CreateMalformed(
                $"The request's content-length '{PeerText.Clean(value)}' is there twice, or is no number.");
        }

        ContentLength = length;
    }

    private bool TrySetTarget(HeaderPair? pair, string value)
    {
        if (pair?.Tag is not CallTarget target)
        {
            target = new CallTarget(value, call.Connection.Application);
            if (pair is not null)
            {
                pair.Tag = target;
            }
        }

        request.SetTarget(target);
        call.CallStream.Profile = target.Profile;
        return target.IsCarried;
    }
}
