using System.IO.Pipelines;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;
using KestrelServerLimits = Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerLimits;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The request.</summary>
internal abstract partial class ServerCall :
    IHttpRequestFeature,
    IHttpRequestBodyDetectionFeature,
    IRequestBodyPipeFeature,
    IHttpRequestIdentifierFeature,
    IHttpRequestLifetimeFeature,
    IHttpRequestTrailersFeature,
    IHttpMaxRequestBodySizeFeature,
    IHttp2StreamIdFeature
{
    // What a field counts beyond its characters, in Kestrel as in HTTP/2 (RFC 7541, section 4.1).
    private const int FieldOverhead = 32;

    private readonly HeaderDictionary _requestHeaders = [];
    private int _headerCount;
    private int _headerSize;
    private HeaderDictionary? _requestTrailers;
    private CancellationTokenSource? _aborted;
    private CancellationToken? _replacedToken;
    private Stream? _requestStream;
    private RequestTarget? _target;
    private string? _traceIdentifier;
    private string _method = "";
    private string _scheme = "";
    private string _path = "";
    private string _queryString = "";
    private string _rawTarget = "";
    private string _pathBase = "";
    private string _protocol = HttpProtocol.Http2;
    private IHeaderDictionary? _replacedHeaders;
    private Stream? _replacedBody;
    private bool _hasTrailers;

    public long? MaxRequestBodySize { get; set; }

    bool IHttpMaxRequestBodySizeFeature.IsReadOnly => false;

    /// <summary>Unique in the life of the connection.</summary>
    public string TraceIdentifier
    {
        get => _traceIdentifier ??= $"{Connection.ConnectionId}:{Id:X8}";
        set => _traceIdentifier = value;
    }

    public PipeReader Reader => Input;

    public bool CanHaveBody => true;

    int IHttp2StreamIdFeature.StreamId => (int)(Id & int.MaxValue);

    string IHttpRequestFeature.Protocol
    {
        get => _protocol;
        set => _protocol = value;
    }

    string IHttpRequestFeature.Scheme
    {
        get => _scheme;
        set => _scheme = value;
    }

    string IHttpRequestFeature.Method
    {
        get => _method;
        set => _method = value;
    }

    string IHttpRequestFeature.PathBase
    {
        get => _pathBase;
        set => _pathBase = value;
    }

    string IHttpRequestFeature.Path
    {
        get => _path;
        set => _path = value;
    }

    string IHttpRequestFeature.QueryString
    {
        get => _queryString;
        set => _queryString = value;
    }

    string IHttpRequestFeature.RawTarget
    {
        get => _rawTarget;
        set => _rawTarget = value;
    }

    IHeaderDictionary IHttpRequestFeature.Headers
    {
        get => _replacedHeaders ?? _requestHeaders;
        set => _replacedHeaders = value;
    }

    Stream IHttpRequestFeature.Body
    {
        get => _replacedBody ?? (_requestStream ??= Input.AsStream(leaveOpen: true));
        set => _replacedBody = value;
    }

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? AbortedToken();
        set => _replacedToken = value;
    }

    bool IHttpRequestTrailersFeature.Available => Volatile.Read(ref _hasTrailers);

    IHeaderDictionary IHttpRequestTrailersFeature.Trailers =>
        Volatile.Read(ref _hasTrailers)
            ? _requestTrailers!
            : throw new InvalidOperationException("The request's trailers are there when its body has been read to the end.");

    /// <summary>Whether nobody waits for the response any more.</summary>
    protected bool IsRequestAborted => Volatile.Read(ref _isAborted) != 0;

    private KestrelServerLimits Limits => Connection.Application.Kestrel.Limits;

    private bool IsHead => _method == HttpMethods.Head;

    void IHttpRequestLifetimeFeature.Abort()
    {
        Reset(CallError.Internal);
        AbortRequest();
    }

    protected override void OnHeaders(ref HeaderReader headers)
    {
        var authority = "";
        while (headers.Read())
        {
            switch (headers.Number)
            {
                case HeaderNames.Method:
                    _method = HttpMethods.GetCanonicalizedValue(headers.Value);
                    break;
                case HeaderNames.Scheme:
                    _scheme = headers.Value;
                    break;
                case HeaderNames.Authority:
                    authority = headers.Value;
                    break;
                case HeaderNames.Path when RequestTarget.IsValid(headers.Value):
                    SetTarget(headers.Pair, headers.Value);
                    break;
                case HeaderNames.Path or HeaderNames.Status:
                    throw new Transport.SharedMemoryProtocolException($"A request with '{headers.Name}: {headers.Value}' makes no sense.");
                default:
                    _headerCount++;
                    if (_headerCount <= Limits.MaxRequestHeaderCount)
                    {
                        _requestHeaders.Append(headers.Name, headers.Value);
                    }

                    break;
            }

            _headerSize += headers.Name.Length + headers.Value.Length + FieldOverhead;
        }

        if (_method.Length == 0 || _scheme.Length == 0 || _target is null)
        {
            throw new Transport.SharedMemoryProtocolException("A request came without method, scheme, or path.");
        }

        if (authority.Length > 0)
        {
            _requestHeaders["Host"] = authority;
        }
    }

    /// <summary>Refuses a request whose headers are more than the server takes.</summary>
    /// <exception cref="BadHttpRequestException">They are. HTTP/2 ends the connection for it; here the call alone ends.</exception>
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

    protected override void OnTrailers(ref HeaderReader trailers)
    {
        _requestTrailers ??= [];
        while (trailers.Read())
        {
            _requestTrailers.Append(trailers.Name, trailers.Value);
        }

        Volatile.Write(ref _hasTrailers, true);
    }

    protected override void OnRead(long total)
    {
        if (total > MaxRequestBodySize)
        {
            throw new BadHttpRequestException(
                $"The request body is larger than {MaxRequestBodySize} bytes.", StatusCodes.Status413PayloadTooLarge);
        }
    }

    private void SetTarget(HeaderPair? pair, string value)
    {
        _target = pair?.Tag as RequestTarget;
        if (_target is null)
        {
            _target = new RequestTarget(value, Connection.Application);
            if (pair is not null)
            {
                pair.Tag = _target;
            }
        }

        _path = _target.Path;
        _queryString = _target.QueryString;
        _rawTarget = _target.RawTarget;
        Profile = _target.Profile;
    }

    private CancellationToken AbortedToken()
    {
        var source = Volatile.Read(ref _aborted);
        if (source is null)
        {
            source = new CancellationTokenSource();
            source = Interlocked.CompareExchange(ref _aborted, source, null) ?? source;
            if (IsRequestAborted)
            {
                // It was aborted before anybody asked for the token; the work that fires it may have found none.
                CancelRequest();
            }
        }

        return source.Token;
    }

    /// <summary>Fires the token, if somebody has asked for it.</summary>
    private void CancelRequest()
    {
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _aborted)?.Cancel();
    }

    private void ReuseRequest()
    {
        _requestHeaders.Clear();
        _headerCount = 0;
        _headerSize = 0;
        _requestTrailers?.Clear();
        if (_aborted is { } aborted && !aborted.TryReset())
        {
            // Not disposed: somebody may hold its token still.
            _aborted = null;
        }

        _replacedToken = null;
        _requestStream = null;
        _target = null;
        _traceIdentifier = null;
        _method = "";
        _scheme = "";
        _path = "";
        _queryString = "";
        _rawTarget = "";
        _pathBase = "";
        _protocol = HttpProtocol.Http2;
        _replacedHeaders = null;
        _replacedBody = null;
        _hasTrailers = false;
        MaxRequestBodySize = Limits.MaxRequestBodySize;
        _isUntimed = false;
    }
}
