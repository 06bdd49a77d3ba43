using System.IO.Pipelines;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The response, as its handler sees it. Its start, its body and its trailers go in one frame if nobody flushes in between.</summary>
internal abstract partial class ServerCall :
    IHttpResponseFeature,
    IHttpResponseBodyFeature,
    IHttpResponseTrailersFeature,
    IHttpResetFeature
{
    private readonly ResponseBody _responseBody;
    private readonly ResponseHeaders _responseHeaders;
    private ResponseHeaders? _responseTrailers;
    private Stack<(Func<object, Task> Callback, object State)>? _starting;
    private Stack<(Func<object, Task> Callback, object State)>? _completed;
    private ResponseStream? _responseStream;
    private IHeaderDictionary? _replacedResponseHeaders;
    private IHeaderDictionary? _replacedResponseTrailers;
    private Stream? _replacedResponseBody;
    private string? _reasonPhrase;
    private int _statusCode = StatusCodes.Status200OK;

    public bool HasStarted => _hasStarted;

    public int StatusCode
    {
        get => _statusCode;
        set
        {
            ThrowIfStarted(nameof(StatusCode));
            _statusCode = value;
        }
    }

    public string? ReasonPhrase
    {
        get => _reasonPhrase;
        set
        {
            ThrowIfStarted(nameof(ReasonPhrase));
            _reasonPhrase = value;
        }
    }

    public PipeWriter Writer => _responseBody;

    /// <summary>What has been put into its place, if anything has, as in Kestrel; the writer stays what it is.</summary>
    public Stream Stream => _replacedResponseBody ?? (_responseStream ??= new ResponseStream(_responseBody, this));

    // Others in their place are seen by the handler alone, as in Kestrel.
    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _replacedResponseHeaders ?? _responseHeaders;
        set => _replacedResponseHeaders = value;
    }

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => _replacedResponseBody = value;
    }

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers
    {
        get => _replacedResponseTrailers ?? OwnTrailers();
        set => _replacedResponseTrailers = value;
    }

    void IHttpResponseFeature.OnStarting(Func<object, Task> callback, object state)
    {
        ThrowIfStarted("OnStarting");
        (_starting ??= []).Push((callback, state));
    }

    void IHttpResponseFeature.OnCompleted(Func<object, Task> callback, object state) =>
        (_completed ??= []).Push((callback, state));

    void IHttpResponseBodyFeature.DisableBuffering()
    {
        // There is none beyond what a writer has not flushed.
    }

    async Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_hasStarted)
        {
            using var wait = new StartingWait(this);
            await RunStartingCallbacksAsync().ConfigureAwait(false);
            _responseBody.ThrowIfStopped();
            Start(0);
        }
    }

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    Task IHttpResponseBodyFeature.CompleteAsync() => CompleteResponseAsync(null);

    void IHttpResetFeature.Reset(int errorCode)
    {
        AbortRequest(RequestFailures.ResetByApplication(errorCode));
        CallStream.Reset((CallError)errorCode);
    }

    private ResponseHeaders OwnTrailers()
    {
        if (_responseTrailers is null)
        {
            _responseTrailers = new ResponseHeaders(Connection.Application.Kestrel.ResponseHeaderEncodingSelector, areTrailers: true);
            if (_hasEnded)
            {
                _responseTrailers.SetReadOnly();
            }
        }

        return _responseTrailers;
    }

    private void ThrowIfStarted(string what)
    {
        if (_hasStarted)
        {
            throw new InvalidOperationException($"{what} cannot be set: the response has already started.");
        }
    }

    private void ReuseResponse()
    {
        _responseHeaders.Reset();
        _responseTrailers?.Reset();
        _starting?.Clear();
        _completed?.Clear();
        _responseStream = null;
        _replacedResponseHeaders = null;
        _replacedResponseTrailers = null;
        _replacedResponseBody = null;
        _statusCode = StatusCodes.Status200OK;
        _reasonPhrase = null;
        ReuseResponding();
    }
}
