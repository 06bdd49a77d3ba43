using System.Globalization;
using System.IO.Pipelines;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The response. Its start, its body and its trailers go in one frame if nobody flushes in between.</summary>
internal abstract partial class ServerCall :
    IHttpResponseFeature,
    IHttpResponseBodyFeature,
    IHttpResponseTrailersFeature,
    IHttpResetFeature
{
    private readonly ResponseBody _responseBody;
    private readonly HeaderDictionary _responseHeaders = [];
    private HeaderDictionary? _responseTrailers;
    private Stack<(Func<object, Task> Callback, object State)>? _starting;
    private Stack<(Func<object, Task> Callback, object State)>? _completed;
    private Stream? _responseStream;
    private IHeaderDictionary? _replacedResponseHeaders;
    private IHeaderDictionary? _replacedResponseTrailers;
    private Stream? _replacedResponseBody;
    private int _statusCode = StatusCodes.Status200OK;
    private bool _hasStarted;
    private bool _hasEnded;

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

    public string? ReasonPhrase { get; set; }

    public PipeWriter Writer => _responseBody;

    public Stream Stream => _responseStream ??= _responseBody.AsStream(leaveOpen: true);

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _replacedResponseHeaders ?? _responseHeaders;
        set => _replacedResponseHeaders = value;
    }

    Stream IHttpResponseFeature.Body
    {
        get => _replacedResponseBody ?? Stream;
        set => _replacedResponseBody = value;
    }

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers
    {
        get => _replacedResponseTrailers ?? (_responseTrailers ??= []);
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

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken) => StartResponseAsync().AsTask();

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    async Task IHttpResponseBodyFeature.CompleteAsync()
    {
        await StartResponseAsync().ConfigureAwait(false);
        EndResponse();
    }

    void IHttpResetFeature.Reset(int errorCode)
    {
        Reset((CallError)errorCode);
        AbortRequest();
    }

    /// <summary>Settles status and headers. They go with the first flush, or with the end.</summary>
    public ValueTask StartResponseAsync()
    {
        if (_hasStarted)
        {
            return default;
        }

        if (_starting is { Count: > 0 })
        {
            return RunStartingCallbacksAsync();
        }

        Start();
        return default;
    }

    /// <summary>Sends what is still to be sent, and the end. Again has no effect.</summary>
    protected void EndResponse()
    {
        if (_hasEnded)
        {
            return;
        }

        _hasEnded = true;
        if (!_hasStarted)
        {
            Start();
        }

        if ((_replacedResponseTrailers ?? _responseTrailers) is { Count: > 0 } trailers)
        {
            Trailers.Begin();
            Write(Trailers, trailers);
        }

        EndOutput();
    }

    /// <summary>Makes the response an error without a body, if it has not started.</summary>
    protected bool TrySetError(int statusCode)
    {
        if (_hasStarted)
        {
            return false;
        }

        _responseBody.Drop();
        _responseHeaders.Clear();
        _replacedResponseHeaders = null;
        _responseTrailers?.Clear();
        _replacedResponseTrailers = null;
        _starting?.Clear();
        _statusCode = statusCode;
        return true;
    }

    protected async ValueTask RunCompletedCallbacksAsync()
    {
        while (_completed is { Count: > 0 })
        {
            var (callback, state) = _completed.Pop();
            try
            {
                await callback(state).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
            }
        }
    }

    private async ValueTask RunStartingCallbacksAsync()
    {
        while (_starting!.TryPop(out var next))
        {
            await next.Callback(next.State).ConfigureAwait(false);
        }

        if (!_hasStarted)
        {
            Start();
        }
    }

    private void Start()
    {
        _hasStarted = true;
        Headers.Begin();
        Headers.Add(
            HeaderNames.Status,
            _statusCode == StatusCodes.Status200OK ? "200" : _statusCode.ToString(CultureInfo.InvariantCulture),
            base.Connection.SentPairs);
        Write(Headers, _replacedResponseHeaders ?? _responseHeaders);
        _responseHeaders.IsReadOnly = true;
    }

    private void Write(HeaderBlock block, IHeaderDictionary headers)
    {
        var pairs = base.Connection.SentPairs;
        foreach (var (name, values) in headers)
        {
            // What was sent before has been looked at before.
            if (values.Count == 1 && values[0] is { } only && block.TryRepeat(name, only, pairs))
            {
                continue;
            }

            // What belongs to a connection is not for a call, as in HTTP/2.
            if (name.Equals("connection", StringComparison.OrdinalIgnoreCase)
                || name.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            for (var i = 0; i < values.Count; i++)
            {
                block.Add(name, values[i] ?? "", pairs);
            }
        }
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
        _responseHeaders.IsReadOnly = false;
        _responseHeaders.Clear();
        _responseTrailers?.Clear();
        _starting?.Clear();
        _completed?.Clear();
        _responseStream = null;
        _replacedResponseHeaders = null;
        _replacedResponseTrailers = null;
        _replacedResponseBody = null;
        _statusCode = StatusCodes.Status200OK;
        ReasonPhrase = null;
        _hasStarted = false;
        _hasEnded = false;
    }

    /// <summary>The response's body: settles the response before anything of it can go.</summary>
    private sealed class ResponseBody(ServerCall call) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => true;

        public override long UnflushedBytes => call.Output.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => call.Output.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => call.Output.GetSpan(sizeHint);

        public override void Advance(int bytes) => call.Output.Advance(bytes);

        public override void CancelPendingFlush() => call.Output.CancelPendingFlush();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            var start = call.StartResponseAsync();
            if (!start.IsCompletedSuccessfully)
            {
                return FlushAfterAsync(start, cancellationToken);
            }

            start.GetAwaiter().GetResult();
            DropIfHead();
            return call.Output.FlushAsync(cancellationToken);
        }

        public override ValueTask<FlushResult> WriteAsync(
            ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            if (call._hasStarted && !call.IsHead)
            {
                return call.Output.WriteAsync(source, cancellationToken);
            }

            source.CopyTo(GetMemory(source.Length));
            Advance(source.Length);
            return FlushAsync(cancellationToken);
        }

        public override void Complete(Exception? exception = null)
        {
            if (exception is null)
            {
                call.EndResponse();
            }
            else
            {
                call.Output.Complete(exception);
            }
        }

        public override async ValueTask CompleteAsync(Exception? exception = null)
        {
            if (exception is null)
            {
                await call.StartResponseAsync().ConfigureAwait(false);
            }

            Complete(exception);
        }

        public void Drop() => call.DropWritten();

        private void DropIfHead()
        {
            if (call.IsHead)
            {
                Drop();
            }
        }

        private async ValueTask<FlushResult> FlushAfterAsync(ValueTask start, CancellationToken cancellationToken)
        {
            await start.ConfigureAwait(false);
            DropIfHead();
            return await call.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
