using System.IO.Pipelines;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Native;

/// <summary>A call with one response message.</summary>
internal abstract class SingleResponseCall<TRequest, TResponse> : NativeCall
    where TRequest : class
    where TResponse : class
{
    // The caller's continuation runs on the thread of the completion, which is chosen with care.
    private readonly TaskCompletionSource<TResponse> _response = new();

    protected SingleResponseCall(
        NativeChannel channel, NativeMethod<TRequest, TResponse> method, in CallOptions options)
        : base(channel, method.Target, method.Scope, options)
    {
        Method = method;
    }

    /// <summary>The response message.</summary>
    public Task<TResponse> Response => _response.Task;

    public override bool TakesLoans => NativeMethod<TRequest, TResponse>.AnswersWithLoans;

    protected NativeMethod<TRequest, TResponse> Method { get; }

    protected override void OnEndedByHeaders(NativeExchange exchange, Status status, bool isWhole)
    {
        if (status.StatusCode == StatusCode.OK)
        {
            Log?.WriteStatusBeforeMessage();
            status = ResponseStatus.StatusBeforeMessage;
        }

        OnFailed(EndResponse(exchange, status, isWhole));
    }

    protected override void OnFailed(Status status)
    {
        _response.TrySetException(CreateException(status));
        if (IsDisposed || status.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded)
        {
            // A caller that gives its call up need not look at the response.
            _ = _response.Task.Exception;
        }
    }

    protected override void OnResponse(NativeExchange exchange, bool isWhole)
    {
        TResponse? message = null;
        try
        {
            var isRead = false;
            while (!isRead && exchange.TryRead(out var read))
            {
                isRead = Take(exchange, read, ref message);
            }

            if (!isRead)
            {
                _ = ReadAsync(exchange, message);
                return;
            }
        }
        catch (Exception exception)
        {
            Drop(message);
            OnFailed(FailResponse(exchange, ResponseStatus.Starting, exception));
            return;
        }

        Complete(exchange, message);
    }

    protected override void OnDisposed()
    {
        if (_response.Task.IsFaulted)
        {
            // Whoever disposes of a call need not look at the response.
            _ = _response.Task.Exception;
        }
    }

    /// <summary>Takes the response of the same call that grpc-dotnet makes.</summary>
    protected async Task TakeAsync(Task<TResponse> response, OtherCall other)
    {
        GoOnAs(other);
        TResponse? message = null;
        Exception? failure = null;
        try
        {
            message = await response.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        Answer(await EndAsOtherAsync(failure).ConfigureAwait(false), message);
    }

    /// <summary>Gives a message back that the caller will not get, if it is a loan.</summary>
    private static void Drop(TResponse? message) => (message as ICallBound)?.EndWithCall();

    private async Task ReadAsync(NativeExchange exchange, TResponse? message)
    {
        try
        {
            while (!Take(exchange, await exchange.ReadAsync().ConfigureAwait(false), ref message))
            {
            }
        }
        catch (Exception exception)
        {
            Drop(message);
            OnFailed(FailResponse(exchange, ResponseStatus.Starting, exception));
            return;
        }

        Complete(exchange, message);
    }

    /// <summary>Takes the message, or a part of it, out of what has come.</summary>
    /// <returns>True if there is nothing more to read.</returns>
    private bool Take(NativeExchange exchange, in ReadResult read, ref TResponse? message)
    {
        var data = read.Buffer;
        if (message is null && exchange.Reader.TryTake(ref data, Method.Deserialize, out var taken))
        {
            message = taken;
        }

        if (message is not null && !data.IsEmpty)
        {
            throw new InvalidDataException("Unexpected data after finished reading message.");
        }

        if (read.IsCompleted && (!data.IsEmpty || exchange.Reader.IsWithinMessage))
        {
            throw exchange.Reader.CreateIncomplete(data.Length);
        }

        exchange.Call.CallStream.Input.AdvanceTo(data.Start, read.Buffer.End);
        return read.IsCompleted;
    }

    private void Complete(NativeExchange exchange, TResponse? message)
    {
        var status = exchange.StatusOfTrailers;
        if (message is null && status.StatusCode == StatusCode.OK)
        {
            status = ResponseStatus.WithoutMessage;
        }

        try
        {
            status = EndResponse(exchange, status, isWhole: true);
        }
        catch (Exception exception)
        {
            // A listener of metrics has thrown while the call was taken off its connection.
            Drop(message);
            _response.TrySetException(exception);
            return;
        }

        Answer(status, message);
    }

    /// <summary>Tells the caller how the call has ended.</summary>
    private void Answer(Status status, TResponse? message)
    {
        if (status.StatusCode == StatusCode.OK)
        {
            _response.TrySetResult(message!);
        }
        else
        {
            Drop(message);
            OnFailed(status);
        }
    }
}
