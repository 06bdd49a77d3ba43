using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The request of a call, as its handler sees it.</summary>
internal sealed class ServerRequest :
    IHttpRequestFeature,
    IHttpRequestBodyDetectionFeature,
    IRequestBodyPipeFeature,
    IHttpRequestIdentifierFeature,
    IHttpRequestTrailersFeature,
    IHttpMaxRequestBodySizeFeature,
    IHttp2StreamIdFeature
{
    private readonly ServerCall _call;
    private readonly HeaderDictionary _requestHeaders = [];
    private HeaderDictionary? _requestTrailers;
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
    private bool _areTrailersDecoded;

    // Both are written by the thread that receives, before the end of the body can be read.
    private bool _hasTrailers;
    private bool _hasNoBody;
    private bool _hasRead;
    private long? _maxBodySize;

    public ServerRequest(ServerCall call)
    {
        _call = call;
        _maxBodySize = call.Limits.MaxRequestBodySize;
    }

    /// <summary>The headers of the client.</summary>
    public HeaderDictionary Headers => _requestHeaders;

    /// <summary>The trailers of the client.</summary>
    public HeaderDictionary Trailers => _requestTrailers ??= [];

    /// <summary>The path, or the one that the application has set.</summary>
    public string Path => _path;

    /// <summary>The method, or the one that the application has set.</summary>
    public string Method => _method;

    public long? MaxRequestBodySize
    {
        get => _maxBodySize;
        set
        {
            if (IsMaxBodySizeFixed)
            {
                throw new InvalidOperationException(
                    "The largest size of the body cannot be changed any more, since the body is being read.");
            }

            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "The largest size of a body cannot be negative.");
            }

            _maxBodySize = value;
        }
    }

    bool IHttpMaxRequestBodySizeFeature.IsReadOnly => IsMaxBodySizeFixed;

    /// <summary>The identifier of the request, unique on its connection.</summary>
    public string TraceIdentifier
    {
        get => _traceIdentifier ??= _call.FormatIdentifier();
        set => _traceIdentifier = value;
    }

    /// <summary>
    /// Reads the same bytes as <see cref="IHttpRequestFeature.Body"/>, also if middleware has set another stream there.
    /// </summary>
    public PipeReader Reader => _replacedBody is null ? _call.CallStream.Input : ReadReplaced(_replacedBody);

    /// <summary>False if the end of the request came with the headers, as in Kestrel.</summary>
    public bool CanHaveBody => !_hasNoBody;

    int IHttp2StreamIdFeature.StreamId => (int)(_call.CallStream.Id & int.MaxValue);

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
        get => _replacedBody ?? (_requestStream ??= CreateStream());
        set => _replacedBody = ReferenceEquals(value, _requestStream) ? null : value;
    }

    bool IHttpRequestTrailersFeature.Available => Volatile.Read(ref _hasTrailers);

    IHeaderDictionary IHttpRequestTrailersFeature.Trailers =>
        Volatile.Read(ref _hasTrailers)
            ? TakeTrailers()
            : throw new InvalidOperationException(
                "The request's trailers are not there yet. Read its body to the end first.");

    // A request without a body has nothing that could be read, so its limit may always be set, as in Kestrel.
    private bool IsMaxBodySizeFixed => _hasRead && CanHaveBody;

    /// <summary>What the call is for, once its headers have been read.</summary>
    public CallTarget? Target { get; private set; }

    /// <summary>Sets the path. By the thread that receives.</summary>
    public void SetTarget(CallTarget target)
    {
        Target = target;
        _path = target.Path;
        _rawTarget = target.Path;
    }

    /// <summary>Sets method and scheme. By the thread that receives.</summary>
    public void SetHead(string method, string scheme)
    {
        _method = method;
        _scheme = scheme;
    }

    /// <summary>
    /// Notes that all of the body has come, before the reader can see its end. By the thread that receives.
    /// </summary>
    /// <param name="isMissing">True if the end came with the headers.</param>
    public void EndBody(bool isMissing)
    {
        _hasNoBody = isMissing;

        // Also if there are no trailers, as in Kestrel; and before the end of the body can be read.
        Volatile.Write(ref _hasTrailers, true);
    }

    /// <summary>Checks the size of the body, before it is read.</summary>
    /// <param name="total">The number of bytes that have come by now.</param>
    /// <param name="contentLength">The content-length of the request, if it has one.</param>
    /// <exception cref="BadHttpRequestException">The body is larger than the server takes.</exception>
    public void CheckRead(long total, long? contentLength)
    {
        // If the content-length is too large, the reading does not begin.
        var isTooLong = Math.Max(total, contentLength ?? 0) > _maxBodySize;
        _hasRead |= !isTooLong || contentLength is null;
        if (isTooLong)
        {
            throw new BadHttpRequestException(
                $"The request body is larger than {_maxBodySize} bytes.", StatusCodes.Status413PayloadTooLarge);
        }
    }

    /// <summary>Refuses reads from now on, since the handler has ended.</summary>
    public void StopBody() => _requestStream?.Stop();

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        _requestHeaders.Clear();
        _requestTrailers?.Clear();
        _requestStream = null;
        _traceIdentifier = null;
        _method = "";
        _scheme = "";
        Target = null;
        _path = "";
        _queryString = "";
        _rawTarget = "";
        _pathBase = "";
        _protocol = HttpProtocol.Http2;
        _replacedHeaders = null;
        _replacedBody = null;
        _readBody = null;
        _bodyReader = null;
        _areTrailersDecoded = false;
        _hasTrailers = false;
        _hasNoBody = false;
        _hasRead = false;
        _maxBodySize = _call.Limits.MaxRequestBodySize;
    }

    // As Kestrel does: one reader for each stream that was set, and it ends with the request.
    private PipeReader ReadReplaced(Stream body)
    {
        if (_bodyReader is null || !ReferenceEquals(_readBody, body))
        {
            _readBody = body;
            _bodyReader = PipeReader.Create(body, new StreamPipeReaderOptions(useZeroByteReads: true));
            IHttpResponseFeature response = _call.Response;
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

    private RequestStream CreateStream() => new(_call.CallStream.Input.AsStream(leaveOpen: true), _call.BodyControl);

    /// <summary>Decodes the trailers, once, when they have come in full. By the handler.</summary>
    private HeaderDictionary TakeTrailers()
    {
        var trailers = Trailers;
        if (!_areTrailersDecoded)
        {
            RequestDecoding.Decode(trailers, _call.Connection.Application.Kestrel);
        }

        _areTrailersDecoded = true;
        return trailers;
    }
}
