using System.IO.Pipelines;
using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// Writes the messages of a request. It owns the sending half of the call until the caller has completed the request,
/// or until the call is over.
/// </summary>
/// <typeparam name="TRequest">The messages.</typeparam>
internal sealed class RequestMessages<TRequest> : IClientStreamWriter<TRequest>
    where TRequest : class
{
    private readonly NativeCall _call;
    private readonly Action<TRequest, SerializationContext> _serialize;
    private readonly Lock _gate = new();

    // Each is an exchange, or the writer of the same call that grpc-dotnet makes.
    private object? _sender;
    private object? _half;
    private TaskCompletionSource? _begun;
    private bool _isStopped;

    // By the writer, who has completed a request whose call had ended before.
    private volatile bool _isCompletedLate;
    private HalfUse _use;

    public RequestMessages(
        NativeCall call, Action<TRequest, SerializationContext> serialize, WriteOptions? writeOptions)
    {
        _call = call;
        _serialize = serialize;
        WriteOptions = writeOptions;
    }

    // Each message is sent at once: the hint that more will follow saves nothing in a ring.
    public WriteOptions? WriteOptions { get; set; }

    /// <summary>Begins to send. By the thread that begins the call.</summary>
    public void Begin(NativeExchange exchange)
    {
        // Someone may write beyond the end of the call.
        exchange.Call.KeepFromReuse();

        // The server gets the headers, whenever the first message comes.
        exchange.Call.CallStream.Output.Release();
        BeginBy(exchange);
    }

    /// <summary>Begins to send by the same call that grpc-dotnet makes.</summary>
    public void Begin(IClientStreamWriter<TRequest> writer) => BeginBy(writer);

    /// <summary>Ends the sending half, since the call is over. Any thread; never waits.</summary>
    public void Stop()
    {
        if (_use.End())
        {
            EndHalf();
        }

        lock (_gate)
        {
            _isStopped = true;
        }

        Volatile.Read(ref _begun)?.TrySetResult();
    }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        if (message is null)
        {
            return Task.FromException(new ArgumentNullException(nameof(message)));
        }

        if (_call.IsDisposed)
        {
            return Task.FromException(new ObjectDisposedException(_call.GetType().FullName));
        }

        switch (_use.Enter())
        {
            case HalfUse.Entry.InUse:
                return RefuseWrite("Can't write the message because the previous write is in progress.");
            case HalfUse.Entry.Completed:
            case HalfUse.Entry.Ended when _isCompletedLate:
                return RefuseWrite("Request stream has already been completed.");
            case HalfUse.Entry.Ended:
                return Task.FromException(CreateFailure(cancellationToken));
        }

        if (Volatile.Read(ref _sender) is not NativeExchange exchange || cancellationToken.CanBeCanceled)
        {
            return WriteSlowlyAsync(message, cancellationToken);
        }

        try
        {
            var flush = Send(exchange, message);
            if (!flush.IsCompletedSuccessfully)
            {
                return FinishAsync(flush, cancellationToken);
            }

            if (!flush.Result.IsCompleted)
            {
                Leave();
                return Task.CompletedTask;
            }
        }
        catch (Exception exception)
        {
            Leave();
            return Task.FromException(exception);
        }

        Leave();
        return Task.FromException(CreateFailure(cancellationToken));
    }

    public Task CompleteAsync()
    {
        _call.ThrowIfDisposed();
        switch (_use.Complete())
        {
            case HalfUse.Entry.InUse:
                var misuse = new InvalidOperationException(
                    "Can't complete the client stream writer because the previous write is in progress.");
                _call.Log?.WriteWrongComplete(misuse);
                return Task.FromException(misuse);
            case HalfUse.Entry.Entered:
                return EndHalf();
            case HalfUse.Entry.Ended:
                _isCompletedLate = true;
                break;
        }

        return Task.CompletedTask;
    }

    private void BeginBy(object sender)
    {
        Interlocked.Exchange(ref _half, sender);
        lock (_gate)
        {
            Volatile.Write(ref _sender, sender);
        }

        if (_use.HasEnded)
        {
            // Completed or given up before it has begun.
            EndHalf();
        }

        Volatile.Read(ref _begun)?.TrySetResult();
    }

    private Task RefuseWrite(string reason)
    {
        var misuse = new InvalidOperationException(reason);
        _call.Log?.WriteWrongWrite(misuse);
        return Task.FromException(misuse);
    }

    private async Task WriteSlowlyAsync(TRequest message, CancellationToken cancellationToken)
    {
        try
        {
            using var registration = _call.CancelBy(cancellationToken);
            var isSent = await AwaitBeginAsync().ConfigureAwait(false) switch
            {
                NativeExchange exchange => !(await Send(exchange, message).ConfigureAwait(false)).IsCompleted,
                IClientStreamWriter<TRequest> writer => await TrySendAsync(writer, message).ConfigureAwait(false),
                _ => false,
            };
            if (!isSent)
            {
                throw CreateFailure(cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }

    private async Task FinishAsync(
        ValueTask<FlushResult> flush, CancellationToken cancellationToken)
    {
        try
        {
            if ((await flush.ConfigureAwait(false)).IsCompleted)
            {
                throw CreateFailure(cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }

    private async ValueTask<object?> AwaitBeginAsync()
    {
        TaskCompletionSource begun;
        lock (_gate)
        {
            if (_sender is not null || _isStopped)
            {
                return _sender;
            }

            begun = _begun ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await begun.Task.ConfigureAwait(false);
        return Volatile.Read(ref _sender);
    }

    /// <summary>Sends a message by the same call that grpc-dotnet makes.</summary>
    /// <returns>False if this call has been given up meanwhile.</returns>
    private async Task<bool> TrySendAsync(IClientStreamWriter<TRequest> writer, TRequest message)
    {
        try
        {
            writer.WriteOptions = WriteOptions;
            await writer.WriteAsync(message).ConfigureAwait(false);
            return true;
        }
        catch (Exception) when (_call.HasEnded)
        {
            return false;
        }
    }

    private ValueTask<FlushResult> Send(NativeExchange exchange, TRequest message)
    {
        var output = exchange.Call.CallStream.Output;
        try
        {
            exchange.Writer.Write(message, _serialize, output);
        }
        catch (Exception exception)
        {
            _call.Log?.WriteFailedSending(exception);
            throw;
        }

        return output.FlushAsync();
    }

    /// <summary>Ends a write.</summary>
    private void Leave()
    {
        if (_use.Leave())
        {
            // The call has ended meanwhile, and has left the sending half to this write.
            EndHalf();
        }
    }

    private Task EndHalf()
    {
        switch (Interlocked.Exchange(ref _half, null))
        {
            case NativeExchange exchange when _use.IsCompleted:
                exchange.Call.EndRequest(canRepeat: false);
                break;
            case NativeExchange exchange:
                // The server must not take what has come for the whole request.
                exchange.Call.DropRequest();
                break;
            case IClientStreamWriter<TRequest> writer when _use.IsCompleted:
                return CompleteAsync(writer);
        }

        return Task.CompletedTask;
    }

    private async Task CompleteAsync(IClientStreamWriter<TRequest> writer)
    {
        try
        {
            await writer.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception) when (_call.HasEnded)
        {
            // At the same moment, which is no failure of whoever completes the request.
        }
    }

    private Exception CreateFailure(CancellationToken cancellationToken) =>
        _call.CreateFailureOfWrite(Volatile.Read(ref _sender) as NativeExchange, cancellationToken);
}
