using Grpc.Core;
using Grpc.Net.Compression;
using GrpcShm.Messages;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace GrpcShm.AspNetCore.Native;

/// <content>The beginning and the end of the call.</content>
/// <remarks>
/// <c>_expired</c> is written under the gate of <see cref="CallDeadline"/>, by the timer, once it has taken the call
/// away. The handler reads it when it has been refused there, under the same gate.
/// <para>Under the context's own gate: the sending of headers and the use of a stream, by the handler, and that the
/// deadline has come, by the timer. Whoever comes second finds it. Behind the deadline only the timer uses the
/// response.
/// Also the token, the scope and the context of HTTP, which several threads of a handler may ask for.</para>
/// </remarks>
internal sealed partial class NativeCallContext
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _cancellation;
    private CancellationTokenRegistration _abortion;
    private DateTime _deadline = DateTime.MaxValue;
    private TaskCompletionSource? _expired;
    private IRequestStream? _requestStream;
    private IResponseStream? _responseStream;
    private ICompressionProvider? _responseCompression;
    private bool _hasDeadline;
    private bool _isCancelled;
    private bool _isExpiring;

    /// <summary>What the call need not make anew.</summary>
    public NativeParts Parts { get; }

    /// <summary>The data of the request.</summary>
    public ReceivedBody Input => _call.CallStream.Input;

    /// <summary>The method that is called.</summary>
    public NativeMethod Native => _method;

    /// <summary>True once nobody waits for the response any more.</summary>
    public bool IsAborted => _call.Lifetime.IsAborted;

    /// <summary>True once the token of the call has fired, or would have.</summary>
    public bool IsCancelled => IsAborted || Volatile.Read(ref _isCancelled);

    /// <summary>
    /// Tells that the call begins. By the method that runs the handler, since the span and the scope flow with it.
    /// </summary>
    public void BeginDiagnostics() => Parts.Diagnostics.Begin(_method.EndPoint);

    /// <summary>Begins the call: sets the headers of its response, and its deadline.</summary>
    public void Begin()
    {
        if (_call.Connection.Application.ShowsHttpContexts)
        {
            // Whoever asks the accessor does not ask here.
            FindHttpContext();
        }

        var request = (IHttpRequestFeature)_call.Request;
        var headers = ((IHttpResponseFeature)_call.Response).Headers;
        headers.ContentType = "application/grpc";
        Parts.Reader.Encoding = request.Headers.TryGetValue(HeaderNames.GrpcEncoding, out var encoding)
            ? encoding.ToString()
            : null;
        if (request.Headers.TryGetValue(HeaderNames.GrpcTimeout, out var timeout)
            && TimeoutText.TryParse(timeout, out var time))
        {
            _hasDeadline = true;
            Parts.Deadline.Begin(this, time);
        }

        if (_method.Settings.ResponseEncoding is { } answer
            && answer != CompressionProviders.Identity
            && RequestMetadata.Names(request.Headers[HeaderNames.GrpcAcceptEncoding].ToString(), answer))
        {
            SetResponseEncoding(answer);
        }
    }

    /// <summary>Lets the client's data come at any rate, and be of any size, as for each stream of messages.</summary>
    public void LiftLimits()
    {
        IFeatureCollection features = _call;
        if (features.Get<IHttpMinRequestBodyDataRateFeature>()
            is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }

    /// <summary>Takes note of the stream of responses, which ends with the deadline.</summary>
    public void Use(IResponseStream stream)
    {
        bool isExpiring;
        lock (_gate)
        {
            _responseStream = stream;
            isExpiring = _isExpiring;
        }

        if (isExpiring)
        {
            stream.Complete();
        }
    }

    /// <summary>Takes note of the stream of requests, which shares the input with a context of HTTP.</summary>
    public void Use(IRequestStream stream)
    {
        bool isShared;
        lock (_gate)
        {
            _requestStream = stream;
            isShared = _httpContext is not null;
        }

        if (isShared)
        {
            stream.Share();
        }
    }

    /// <summary>Stops the deadline, since the handler has its answer.</summary>
    /// <returns>False if the deadline has ended the call.</returns>
    public bool TryStopDeadline()
    {
        if (_hasDeadline && _expired is null)
        {
            _hasDeadline = !Parts.Deadline.TryEnd(this);
        }

        return !_hasDeadline;
    }

    /// <summary>Starts the response, unless it has started.</summary>
    /// <returns>A task for the callbacks before the start; it is complete if there are none.</returns>
    public Task StartResponseAsync()
    {
        var response = _call.Response;
        if (response.HasStarted)
        {
            return Task.CompletedTask;
        }

        if (response.Callbacks.HasStarting)
        {
            return ((IHttpResponseBodyFeature)response).StartAsync();
        }

        response.Progress.Start(0);
        return Task.CompletedTask;
    }

    /// <summary>Writes a message. The response has started.</summary>
    public void Write<T>(T message, Action<T, SerializationContext> serialize) =>
        Parts.Writer.Write(
            message,
            serialize,
            _call.CallStream.Output,
            WriteOptions?.Flags.HasFlag(WriteFlags.NoCompress) == true ? null : _responseCompression,
            _method.Settings.ResponseLevel);

    /// <summary>
    /// Sends what has been written. With <see cref="WriteFlags.BufferHint"/> it is in the ring as well, so a client
    /// that is awake has it at once. A client that sleeps is woken for the next thing, or when the reactor has nothing
    /// to do.
    /// </summary>
    public ValueTask<System.IO.Pipelines.FlushResult> FlushAsync(CancellationToken cancellationToken) =>
        _call.Response.Writer.FlushAsync(
            isQuiet: WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) == true, cancellationToken);

    /// <summary>Gives the call up, since a token of one of its writes has fired.</summary>
    public void Reset() => ((IHttpResetFeature)_call.Response).Reset((int)CallError.Cancelled);

    /// <summary>Says in the response which encodings are known, if a message had one that is not.</summary>
    public void TellEncodings(Exception exception)
    {
        if (exception is RpcException { StatusCode: StatusCode.Unimplemented }
            && Parts.Reader.Encoding is { } encoding
            && _method.Settings.Compression.Find(encoding) is null
            && !_call.Response.HasStarted)
        {
            ((IHttpResponseFeature)_call.Response).Headers[HeaderNames.GrpcAcceptEncoding] =
                _method.Settings.Compression.Accepted;
        }
    }

    /// <summary>Disposes of something when the response has ended.</summary>
    public void EndWithCall(IDisposable part) =>
        Call.Response.Callbacks.AddCompleted(
            static part =>
            {
                ((IDisposable)part).Dispose();
                return Task.CompletedTask;
            },
            part);

    /// <summary>Notes the deadline. Under the gate of <see cref="CallDeadline"/>.</summary>
    public void SetDeadline(DateTime deadline) => _deadline = deadline;

    /// <summary>Notes that the deadline ends the call. Under the gate of <see cref="CallDeadline"/>.</summary>
    public void BeginExpiry() =>
        _expired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends the call, since its deadline has passed. Never throws.</summary>
    public async Task ExpireAsync()
    {
        try
        {
            // A handler that writes at this moment must not write behind the end.
            IResponseStream? stream;
            lock (_gate)
            {
                _isExpiring = true;
                stream = _responseStream;
            }

            stream?.Complete();
            var status = new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded");
            SetStatus(FindTrailers(), status);
            _status = status;
            await ((IHttpResponseBodyFeature)_call.Response).CompleteAsync().ConfigureAwait(false);
            Reset();
            Cancel();
        }
        catch (Exception exception)
        {
            GrpcLog.DeadlineFailed(_method.Logger, exception);
        }
        finally
        {
            _expired!.TrySetResult();
        }
    }

    /// <summary>Ends the call as its handler has ended it.</summary>
    public Task EndAsync()
    {
        if (!TryStopDeadline())
        {
            return EndExpiredAsync();
        }

        SetTrailers();
        Parts.Diagnostics.EndHandler(_status.StatusCode);
        return Task.CompletedTask;
    }

    /// <summary>Ends the use of the call. When the response has ended.</summary>
    /// <param name="failure">The failure of the response, if it has failed.</param>
    public void Leave(Exception? failure)
    {
        // Not waited for: a callback of the token is foreign code, and may wait for this.
        _abortion.Unregister();
        _isOver = true;
        try
        {
            Parts.Diagnostics.End(failure);
        }
        finally
        {
            if (_httpContext is { } context)
            {
                _call.Connection.Application.HttpContexts.Dispose(context);

                // Else a handler that has kept it would see the next call.
                (context as DefaultHttpContext)?.Uninitialize();
            }
        }
    }

    private static void SetStatus(IHeaderDictionary trailers, Status status)
    {
        trailers[HeaderNames.GrpcStatus] = StatusText.Of(status.StatusCode);
        trailers[HeaderNames.GrpcMessage] = StatusText.Encode(status.Detail);
    }

    private async Task EndExpiredAsync()
    {
        await _expired!.Task.ConfigureAwait(false);
        Parts.Diagnostics.EndHandler(_status.StatusCode);
    }

    private IHeaderDictionary FindTrailers()
    {
        if (!_call.Response.HasStarted)
        {
            return ((IHttpResponseFeature)_call.Response).Headers;
        }

        var trailers = ((IHttpResponseTrailersFeature)_call.Response).Trailers;
        return trailers.IsReadOnly
            ? throw new InvalidOperationException(
                "Trailers are not supported for this response. The server may not support gRPC.")
            : trailers;
    }

    private void SetTrailers()
    {
        var trailers = FindTrailers();
        if (_responseTrailers is { } own)
        {
            foreach (var entry in own)
            {
                Append(trailers, entry, "trailer");
            }
        }

        SetStatus(trailers, _status);
    }

    private void SetResponseEncoding(string encoding)
    {
        ((IHttpResponseFeature)_call.Response).Headers[HeaderNames.GrpcEncoding] = encoding;
        _responseCompression = _method.Settings.Compression.Find(encoding);
    }

    /// <summary>The token of the call: that of the request, or with a deadline, one that fires then as well.</summary>
    private CancellationToken FindCancellation()
    {
        var lifetime = (IHttpRequestLifetimeFeature)Call.Lifetime;
        if (_deadline == DateTime.MaxValue)
        {
            return lifetime.RequestAborted;
        }

        lock (_gate)
        {
            if (_cancellation is null)
            {
                // Not disposed of: a handler may keep its token.
                var source = new CancellationTokenSource();
                _cancellation = source;
                if (_isCancelled)
                {
                    source.Cancel();
                }
                else
                {
                    _abortion = lifetime.RequestAborted.UnsafeRegister(
                        static call => ((NativeCallContext)call!).Cancel(), this);
                }
            }

            return _cancellation.Token;
        }
    }

    private void Cancel()
    {
        CancellationTokenSource? cancellation;
        lock (_gate)
        {
            _isCancelled = true;
            cancellation = _cancellation;
        }

        cancellation?.Cancel();
    }
}
