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
    private readonly HeaderDictionary _requestHeaders = [];
    private HeaderDictionary? _requestTrailers;
    private CancellationToken? _replacedToken;
    private RequestStream? _requestStream;
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
    private Stream? _readBody;
    private PipeReader? _bodyReader;
    private bool _hasTrailers;
    private bool _hasNoBody;
    private bool _hasRead;
    private long? _maxBodySize;

    public long? MaxRequestBodySize
    {
        get => _maxBodySize;
        set
        {
            if (IsMaxBodySizeFixed)
            {
                throw new InvalidOperationException("The largest size of the body cannot be changed: it is being read.");
            }

            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The largest size of a body cannot be negative.");
            }

            _maxBodySize = value;
        }
    }

    bool IHttpMaxRequestBodySizeFeature.IsReadOnly => IsMaxBodySizeFixed;

    /// <summary>Unique in the life of the connection.</summary>
    public string TraceIdentifier
    {
        get => _traceIdentifier ??= FormatIdentifier();
        set => _traceIdentifier = value;
    }

    /// <summary>Reads what <see cref="IHttpRequestFeature.Body"/> reads, also if middleware has put another stream there.</summary>
    public PipeReader Reader => _replacedBody is null ? CallStream.Input : ReadReplaced(_replacedBody);

    /// <summary>Not if the end came with the headers, as in Kestrel.</summary>
    public bool CanHaveBody => !_hasNoBody;

    int IHttp2StreamIdFeature.StreamId => (int)(CallStream.Id & int.MaxValue);

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
        get => _replacedBody ?? (_requestStream ??= new RequestStream(CallStream.Input.AsStream(leaveOpen: true), this));
        set => _replacedBody = ReferenceEquals(value, _requestStream) ? null : value;
    }

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? AbortedToken();
        set => _replacedToken = value;
    }

    bool IHttpRequestTrailersFeature.Available => Volatile.Read(ref _hasTrailers);

    IHeaderDictionary IHttpRequestTrailersFeature.Trailers =>
        Volatile.Read(ref _hasTrailers)
            ? TakeTrailers()
            : throw new InvalidOperationException("The request's trailers are there when its body has been read to the end.");

    // Of a request without a body there is nothing to be read, as in Kestrel.
    private bool IsMaxBodySizeFixed => _hasRead && CanHaveBody;

    private KestrelServerLimits Limits => Connection.Application.Kestrel.Limits;

    void IHttpRequestLifetimeFeature.Abort()
    {
        // The peer last: its answer must not be quicker to say why.
        AbortRequest(RequestFailures.AbortedByApplication());
        CallStream.Reset(CallError.Internal);
    }

    public void OnRead(long total)
    {
        // One that says that it is too long is not even begun to be read.
        var isTooLong = Math.Max(total, _contentLength ?? 0) > _maxBodySize;
        _hasRead |= !isTooLong || _contentLength is null;
        if (isTooLong)
        {
            throw new BadHttpRequestException(
                $"The request body is larger than {_maxBodySize} bytes.", StatusCodes.Status413PayloadTooLarge);
        }
    }

    // As Kestrel does it: one reader for the stream that is there, and it ends with the request.
    private PipeReader ReadReplaced(Stream body)
    {
        if (_bodyReader is null || !ReferenceEquals(_readBody, body))
        {
            _readBody = body;
            _bodyReader = PipeReader.Create(body, new StreamPipeReaderOptions(useZeroByteReads: true));
            IHttpResponseFeature response = this;
            response.OnCompleted(
                static reader =>
                {
                    ((PipeReader)reader).Complete();
                    return Task.CompletedTask;
                },
                _bodyReader);
        }

        return _bodyReader;
    }

    private string FormatIdentifier() => $"{Connection.ConnectionId}:{Number:X8}";

    private void ReuseRequest()
    {
        _requestHeaders.Clear();
        ReuseHeaders();
        _requestTrailers?.Clear();
        ReuseAborting();
        _replacedToken = null;
        _requestStream = null;
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
        _readBody = null;
        _bodyReader = null;
        _hasTrailers = false;
        _hasNoBody = false;
        _hasRead = false;
        _maxBodySize = Limits.MaxRequestBodySize;
        _isUntimed = false;
    }
}
