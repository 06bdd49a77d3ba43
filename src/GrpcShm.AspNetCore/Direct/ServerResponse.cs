using System.IO.Pipelines;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The response of a call, as its handler sees it. Start, body and trailers go in one frame if the handler does not
/// flush in between.
/// </summary>
internal sealed class ServerResponse :
    IHttpResponseFeature,
    IHttpResponseBodyFeature,
    IHttpResponseTrailersFeature,
    IHttpResetFeature
{
    private readonly ServerCall _call;
    private readonly ResponseHead _head;
    private readonly ResponseBody _body;
    private ResponseStream? _stream;
    private IHeaderDictionary? _replacedHeaders;
    private IHeaderDictionary? _replacedTrailers;
    private Stream? _replacedBody;

    public ServerResponse(ServerCall call)
    {
        _call = call;
        _head = new ResponseHead(call);
        _body = new ResponseBody(call);
        Callbacks = new ResponseCallbacks(call);
        Progress = new ResponseProgress(call, _head, Callbacks, _body);
    }

    /// <summary>The callbacks that run before the start, and after the end.</summary>
    public ResponseCallbacks Callbacks { get; }

    /// <summary>Starts and ends the response.</summary>
    public ResponseProgress Progress { get; }

    /// <summary>True if a write that the handler has left behind, or the like, will go on with this response.</summary>
    public bool IsAwaited => Callbacks.AreAwaited;

    public bool HasStarted => Progress.HasStarted;

    public int StatusCode
    {
        get => _head.StatusCode;
        set
        {
            ThrowIfStarted(nameof(StatusCode));
            _head.StatusCode = value;
        }
    }

    public string? ReasonPhrase
    {
        get => _head.ReasonPhrase;
        set
        {
            ThrowIfStarted(nameof(ReasonPhrase));
            _head.ReasonPhrase = value;
        }
    }

    public ResponseBody Writer => _body;

    /// <summary>
    /// The stream of the body, or the one that the application has set. The writer is not replaced by that, as in
    /// Kestrel.
    /// </summary>
    public Stream Stream => _replacedBody ?? (_stream ??= new ResponseStream(_body, _call.BodyControl));

    PipeWriter IHttpResponseBodyFeature.Writer => _body;

    // If the application sets other headers, only the handler sees those, as in Kestrel.
    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _replacedHeaders ?? _head.Headers;
        set => _replacedHeaders = value;
    }

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => _replacedBody = value;
    }

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers
    {
        get => _replacedTrailers ?? _head.GetTrailers(areSent: Progress.HasEnded);
        set => _replacedTrailers = value;
    }

    void IHttpResponseFeature.OnStarting(Func<object, Task> callback, object state)
    {
        ThrowIfStarted("OnStarting");
        Callbacks.AddStarting(callback, state);
    }

    void IHttpResponseFeature.OnCompleted(Func<object, Task> callback, object state) =>
        Callbacks.AddCompleted(callback, state);

    void IHttpResponseBodyFeature.DisableBuffering()
    {
        // Nothing is buffered but the bytes that a writer has not flushed.
    }

    async Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!Progress.HasStarted)
        {
            using var wait = Callbacks.BeginWait();
            await Progress.RunStartingCallbacksAsync().ConfigureAwait(false);
            _body.ThrowIfStopped();
            Progress.Start(0);
        }
    }

    Task IHttpResponseBodyFeature.SendFileAsync(
        string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    Task IHttpResponseBodyFeature.CompleteAsync() => Progress.CompleteAsync(null);

    void IHttpResetFeature.Reset(int errorCode)
    {
        _call.Lifetime.Abort(RequestFailures.CreateResetByApplication(errorCode));
        _call.CallStream.Reset((CallError)errorCode);
    }

    /// <summary>Refuses writes from now on, since the handler has ended.</summary>
    public void StopBody()
    {
        _body.Stop();
        _stream?.Stop();
    }

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        _head.Reuse();
        Callbacks.Reuse();
        Progress.Reuse();
        _body.Reuse();
        _stream = null;
        _replacedHeaders = null;
        _replacedTrailers = null;
        _replacedBody = null;
    }

    private void ThrowIfStarted(string what)
    {
        if (Progress.HasStarted)
        {
            throw new InvalidOperationException($"{what} cannot be set, since the response has already started.");
        }
    }
}
