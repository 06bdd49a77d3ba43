using Grpc.Core;
using GrpcShm.Client.Http;

namespace GrpcShm.Client.Native;

/// <summary>How the call has ended, and what of that its caller sees.</summary>
internal abstract partial class NativeCall
{
    private static readonly object NoHeaders = new();

    private readonly Lock _gate = new();

    // Written under the gate, once, before _hasEnded.
    private Status _status;
    private ReceivedMetadata? _trailers;
    private volatile bool _isGivenUp;
    private bool _isWhole;
    private volatile bool _hasEnded;

    // Nothing, then either the source of a task that somebody waits for, or the headers or the failure. Any thread, by
    // compare-and-swap.
    private object? _headers;

    /// <summary>Writes the lines of the call; nothing if nobody keeps them.</summary>
    public CallLog? Log { get; }

    /// <summary>True once the status is known.</summary>
    public bool HasEnded => _hasEnded;

    public Task<Metadata> GetHeadersAsync()
    {
        var headers = Volatile.Read(ref _headers);
        if (headers is null)
        {
            var source = new TaskCompletionSource<Metadata>(TaskCreationOptions.RunContinuationsAsynchronously);
            headers = Interlocked.CompareExchange(ref _headers, source, null) ?? source;
        }

        return headers is TaskCompletionSource<Metadata> waiting ? waiting.Task : FindHeaders(headers);
    }

    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Status GetStatus() =>
        _hasEnded
            ? _status
            : Volatile.Read(ref _other)?.FindStatus() ?? throw new InvalidOperationException(
                "Unable to get the status because the call is not complete.");

    /// <exception cref="InvalidOperationException">The call has not ended in order.</exception>
    public Metadata GetTrailers()
    {
        if (_hasEnded && _isWhole)
        {
            return _trailers?.ToMetadata() ?? [];
        }

        return Volatile.Read(ref _other) is { } other && !_isGivenUp
            ? other.GetTrailers()
            : throw new InvalidOperationException(
                "Can't get the call trailers because the call has not completed successfully.");
    }

    /// <summary>Makes the exception for a write whose message is not wanted any more.</summary>
    /// <param name="exchange">Carries the request; nothing if the call has not begun.</param>
    /// <param name="token">The token of the write.</param>
    public Exception CreateFailureOfWrite(NativeExchange? exchange, CancellationToken token)
    {
        if (_hasEnded)
        {
            return CreateException(_status, token: token);
        }

        // The response has ended, or the call has failed, and its reader has not come to that yet.
        if (exchange?.Call.BrokenBy is { } broken)
        {
            return new RpcException(StatusOf(ResponseStatus.Starting, CallFailures.CreateReading(broken)));
        }

        var cause = new OperationCanceledException("The response has ended: the rest of the request is not wanted.");
        return Channel.ThrowsOperationCanceled
            ? cause
            : new RpcException(new Status(StatusCode.Cancelled, "", cause));
    }

    /// <summary>Makes the exception that the caller gets.</summary>
    /// <param name="status">The status of the call.</param>
    /// <param name="isStream">
    /// True for the reader of a stream, which takes each status of a cancellation for one, as grpc-dotnet does.
    /// </param>
    /// <param name="token">The token of the operation, if it has one.</param>
    protected Exception CreateException(Status status, bool isStream = false, CancellationToken token = default)
    {
        var failure = new RpcException(status, FindTrailers());
        var isCancellation = status.StatusCode == StatusCode.DeadlineExceeded
            || (status.StatusCode == StatusCode.Cancelled && (_isGivenUp || isStream));
        if (!Channel.ThrowsOperationCanceled || !isCancellation)
        {
            return failure;
        }

        var fired = token.IsCancellationRequested ? token : _token.IsCancellationRequested ? _token : default;
        var reason =
            status.StatusCode == StatusCode.DeadlineExceeded ? "The call's deadline has passed." : status.Detail;
        return new OperationCanceledException(reason, failure, fired);
    }

    private static Task<Metadata> FindHeaders(object headers)
    {
        Exception failure;
        try
        {
            if (headers is not Exception known)
            {
                return Task.FromResult((headers as ReceivedMetadata)?.ToMetadata() ?? []);
            }

            failure = known;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            failure = new RpcException(ResponseStatus.FromException(ResponseStatus.Starting, exception));
        }

        // Most callers look at the response alone, which fails, too.
        var failed = Task.FromException<Metadata>(failure);
        _ = failed.Exception;
        return failed;
    }

    /// <summary>The trailers for an exception, which tells of the call and not of them.</summary>
    private Metadata FindTrailers()
    {
        try
        {
            return _trailers?.ToMetadata() ?? Metadata.Empty;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            // Whoever asks for the trailers is told.
            Log?.WriteWrongTrailers(exception);
            return Metadata.Empty;
        }
    }

    private Status StatusOf(string summary, Exception exception)
    {
        if (Channel.IsDisposed)
        {
            return ResponseStatus.Disposed;
        }

        var status = ResponseStatus.FromException(summary, exception);

        // The server may notice earlier than this process that the deadline has passed.
        return status.StatusCode == StatusCode.Cancelled && Deadline <= DateTime.UtcNow
            ? new Status(StatusCode.DeadlineExceeded, status.Detail, status.DebugException)
            : status;
    }

    /// <summary>Ends the call, unless it has ended.</summary>
    /// <returns>The status with which it has ended.</returns>
    private Status End(Status status)
    {
        TryEnd(status, trailers: null, isWhole: false, Log);
        return _status;
    }

    private bool TryEnd(
        Status status, ReceivedMetadata? trailers, bool isWhole, CallLog? log, bool isGivenUp = false)
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return false;
            }

            _status = status;
            _trailers = trailers;
            _isWhole = isWhole;
            _isGivenUp = isGivenUp;
            _hasEnded = true;
        }

        // Before the caller learns of it.
        if (log is not null && status.StatusCode != StatusCode.OK)
        {
            log.WriteEnd(
                status, status.StatusCode == StatusCode.DeadlineExceeded && Deadline <= DateTime.UtcNow);
        }

        if (Volatile.Read(ref _headers) is null or TaskCompletionSource<Metadata>)
        {
            SetHeaders(CreateException(status));
        }

        return true;
    }

    private async Task TakeHeadersAsync(OtherCall other)
    {
        try
        {
            SetHeaders(new ReceivedMetadata(await other.Headers.ConfigureAwait(false)));
        }
        catch (Exception exception)
        {
            // Whoever asks for the headers gets it.
            SetHeaders(exception);
        }
    }

    private void SetHeaders(object headers)
    {
        if (Interlocked.CompareExchange(ref _headers, headers, null) is TaskCompletionSource<Metadata> source
            && source.TrySetFromTask(FindHeaders(headers)))
        {
            // Most callers look at the response alone, which fails, too.
            _ = source.Task.Exception;
        }
    }
}
