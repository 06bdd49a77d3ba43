using System.Globalization;
using System.Text;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The blocks of the request, and its length. What the application is going to see is what Kestrel would show it of the same request over
/// HTTP/2, or the call is reset before anything of the application runs. By the thread that receives.
/// </summary>
internal abstract partial class ServerCall
{
    // Equal to this for all who have set no selector.
    private static readonly Func<string, Encoding?> DefaultEncoding =
        new Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions().RequestHeaderEncodingSelector;

    private static readonly object ValidAuthority = new();

    private readonly RequestFields _fields = new();
    private int _headerCount;
    private int _headerSize;
    private long? _contentLength;
    private long _received;
    private bool _areTrailersDecoded;

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

    public void OnHeaders(ref HeaderReader headers)
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
                    throw Malformed("The request has a ':status'.");
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
            throw Malformed($"The request lacks what every gRPC request has: {Seen.Needed & ~seen}.");
        }

        if (GrpcRequestRules.Method.Length + GrpcRequestRules.Scheme.Length + authorityLength + _path.Length > Limits.MaxRequestLineSize)
        {
            throw Malformed($"The request's authority and path are longer than {Limits.MaxRequestLineSize} (MaxRequestLineSize).");
        }

        _headerCount = headers.Fields;
        _headerSize = headers.Size;
        _method = GrpcRequestRules.Method;
        _scheme = GrpcRequestRules.Scheme;
        _fields.MoveTo(_requestHeaders);
    }

    /// <summary>Refuses a request whose headers are more than the server takes.</summary>
    /// <exception cref="BadHttpRequestException">They are.</exception>
    protected void CheckHeaders()
    {
        if (_headerCount > Limits.MaxRequestHeaderCount)
        {
            throw new BadHttpRequestException(
                $"The request has {_headerCount} headers; the server takes {Limits.MaxRequestHeaderCount} (MaxRequestHeaderCount).",
                StatusCodes.Status431RequestHeaderFieldsTooLarge);
        }

        if (_headerSize > Limits.MaxRequestHeadersTotalSize)
        {
            throw new BadHttpRequestException(
                $"The request's headers have {_headerSize} bytes; the server takes {Limits.MaxRequestHeadersTotalSize} (MaxRequestHeadersTotalSize).",
                StatusCodes.Status431RequestHeaderFieldsTooLarge);
        }
    }

    /// <summary>Reads the values in the encodings that the server's options give for them, if they give any. They are foreign code.</summary>
    /// <exception cref="MalformedCallException">A value is not what it may be.</exception>
    protected void DecodeHeaders()
    {
        if (Connection.Application.Kestrel.RequestHeaderEncodingSelector != DefaultEncoding)
        {
            Decode(_requestHeaders);
        }
    }

    public void OnTrailers(ref HeaderReader trailers)
    {
        _fields.Clear();
        while (trailers.Read())
        {
            // Headers and trailers count together, as in Kestrel.
            if (_headerCount + trailers.Fields > Limits.MaxRequestHeaderCount || trailers.Size > Limits.MaxRequestHeadersTotalSize)
            {
                throw new MalformedCallException(
                    CallError.TooMuch,
                    $"The request's headers and trailers are more than {Limits.MaxRequestHeaderCount} (MaxRequestHeaderCount), or the latter have more than "
                    + $"{Limits.MaxRequestHeadersTotalSize} bytes (MaxRequestHeadersTotalSize).");
            }

            if (trailers.Number is >= HeaderNames.Method and <= HeaderNames.Status
                || RequestHeaderNames.Find(trailers.Number, trailers.Name).IsForbidden
                || (trailers.Number == HeaderNames.Te && trailers.Value != GrpcRequestRules.Te))
            {
                throw Malformed($"The request has '{PeerText.Clean(trailers.Name)}' among its trailers.");
            }

            // Shown as they came, in spelling and in order.
            _fields.Add(trailers.Name, trailers.Value, order: 0);
        }

        _fields.MoveTo(_requestTrailers ??= []);
    }

    public void OnData(int count, bool hasEnded)
    {
        _received += count;
        if (_contentLength is { } length && (_received > length || (hasEnded && _received < length)))
        {
            throw Malformed($"The request's content-length is {length}, and {_received} bytes of it have come.");
        }

        if (hasEnded)
        {
            _hasNoBody = !_isStarted && _received == 0;

            // With or without any, as Kestrel says; and before the end of the body can be read.
            Volatile.Write(ref _hasTrailers, true);
        }
    }

    public void OnRefused(CallError error, Exception exception) => Connection.Refused(exception.Message);

    /// <summary>Notes a field that may be there once, and if it is a pseudo field, before all that are none.</summary>
    private static void See(ref Seen seen, Seen field, in HeaderReader headers, bool isValid)
    {
        if (!isValid)
        {
            throw Malformed(
                $"Direct mode does not carry a request with '{headers.Name}: {PeerText.Clean(headers.Value)}'. It carries gRPC alone; "
                + "other requests go over HTTP/2.");
        }

        if ((seen & field) != 0 || (field <= Seen.Path && (seen & Seen.Regular) != 0))
        {
            throw Malformed($"The request's '{headers.Name}' is there twice, or behind a regular header.");
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

    private static MalformedCallException Malformed(string message) => new(CallError.Protocol, message);

    private void AddField(in HeaderReader headers)
    {
        var shown = RequestHeaderNames.Find(headers.Number, headers.Name);
        if (shown.IsForbidden)
        {
            throw Malformed($"The request has a header '{headers.Name}', which is not for a call.");
        }

        _fields.Add(shown.Name, headers.Value, shown.Order);
    }

    private void SetContentLength(string value)
    {
        // In one way of writing it only: what Kestrel shows is the number.
        if (_contentLength is not null
            || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || value != length.ToString(CultureInfo.InvariantCulture))
        {
            throw Malformed($"The request's content-length '{PeerText.Clean(value)}' is there twice, or is no number.");
        }

        _contentLength = length;
    }

    /// <summary>The trailers, which have come in full. By the handler.</summary>
    private HeaderDictionary TakeTrailers()
    {
        var trailers = _requestTrailers ??= [];
        if (!_areTrailersDecoded && Connection.Application.Kestrel.RequestHeaderEncodingSelector != DefaultEncoding)
        {
            Decode(trailers);
        }

        _areTrailersDecoded = true;
        return trailers;
    }

    private void Decode(HeaderDictionary headers)
    {
        var selector = Connection.Application.Kestrel.RequestHeaderEncodingSelector;
        foreach (var (name, values) in headers.ToList())
        {
            if (selector(name) is { } encoding)
            {
                headers[name] = new StringValues([.. values.Select(value => Decode(encoding, name, value!))]);
            }
        }
    }

    // What came was UTF-8, so its bytes are known.
    private static string Decode(Encoding encoding, string name, string value)
    {
        var decoded = encoding.GetString(Encoding.UTF8.GetBytes(value));
        return decoded.AsSpan().ContainsAny('\0', '\r', '\n')
            ? throw Malformed($"The value of the header '{PeerText.Clean(name)}' has a line break or a zero in it.")
            : decoded;
    }

    private bool TrySetTarget(HeaderPair? pair, string value)
    {
        if (pair?.Tag is not RequestTarget target)
        {
            target = new RequestTarget(value, Connection.Application);
            if (pair is not null)
            {
                pair.Tag = target;
            }
        }

        _path = target.Path;
        _rawTarget = target.Path;
        CallStream.Profile = target.Profile;
        return target.IsValid;
    }

    private void ReuseHeaders()
    {
        _fields.Clear();
        _headerCount = 0;
        _headerSize = 0;
        _contentLength = null;
        _received = 0;
        _areTrailersDecoded = false;
    }
}
