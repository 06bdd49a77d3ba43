using System.IO.Pipelines;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The messages of a handler, as its client will read them.</summary>
/// <remarks>
/// Under the gate: all writing into the call's output, and the end. So neither a write that a handler has left behind,
/// nor one at the moment of the deadline, writes behind the end, or into the next call. The serializer runs under it as
/// well, since it writes into the output, and callbacks before the start. If one of them never ends, neither does its
/// call, and the deadline waits with it.
/// </remarks>
internal sealed class NativeResponseStream<T>(
    NativeCallContext context, Action<T, SerializationContext> serialize) : IServerStreamWriter<T>, IResponseStream
    where T : class
{
    private readonly Lock _gate = new();
    private Task? _writing;
    private bool _isComplete;

    public WriteOptions? WriteOptions
    {
        get => context.WriteOptions;
        set => context.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (message is null)
        {
            return Task.FromException(new ArgumentNullException(nameof(message)));
        }

        if (cancellationToken.CanBeCanceled)
        {
            return WriteUntilAsync(message, cancellationToken);
        }

        try
        {
            return Begin(message, default);
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
        }
    }

    private async Task WriteUntilAsync(T message, CancellationToken cancellationToken)
    {
        // As in grpc-dotnet, the token gives up the call, not the message alone.
        using var registration = cancellationToken.Register(
            static stream => ((NativeResponseStream<T>)stream!).GiveUp(), this);
        cancellationToken.ThrowIfCancellationRequested();
        await Begin(message, cancellationToken).ConfigureAwait(false);
    }

    private void GiveUp()
    {
        lock (_gate)
        {
            // Once the call is over, its object may serve another one.
            if (!_isComplete)
            {
                context.Reset();
            }
        }
    }

    private Task Begin(T message, CancellationToken cancellationToken)
    {
        Task writing;
        lock (_gate)
        {
            ThrowIfComplete();
            if (_writing is { IsCompleted: false })
            {
                throw new InvalidOperationException(
                    "Can't write the message because the previous write is in progress.");
            }

            var start = context.StartResponseAsync();
            writing = start.IsCompletedSuccessfully
                ? Write(message, cancellationToken)
                : WriteAfterAsync(start, message, cancellationToken);
            _writing = writing;
        }

        return writing.IsCompletedSuccessfully ? writing : LogFailureAsync(writing);
    }

    private async Task LogFailureAsync(Task writing)
    {
        try
        {
            await writing.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            GrpcLog.SendFailed(context.Native.Logger, exception);
            throw;
        }
    }

    private void ThrowIfComplete()
    {
        if (_isComplete || context.IsAborted)
        {
            throw new InvalidOperationException("Can't write the message because the request is complete.");
        }
    }

    private async Task WriteAfterAsync(Task start, T message, CancellationToken cancellationToken)
    {
        await start.ConfigureAwait(false);
        Task writing;
        lock (_gate)
        {
            ThrowIfComplete();
            writing = Write(message, cancellationToken);
        }

        await writing.ConfigureAwait(false);
    }

    /// <summary>Writes a message, and sends it. Under the gate.</summary>
    private Task Write(T message, CancellationToken cancellationToken)
    {
        try
        {
            context.Write(message, serialize);
            var flush = context.FlushAsync(cancellationToken);
            if (!flush.IsCompletedSuccessfully)
            {
                return FlushAsync(flush, cancellationToken);
            }

            ThrowIfCancelled(flush.Result, cancellationToken);
            return Task.CompletedTask;
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    private async Task FlushAsync(ValueTask<FlushResult> flush, CancellationToken cancellationToken) =>
        ThrowIfCancelled(await flush.ConfigureAwait(false), cancellationToken);

    private void ThrowIfCancelled(FlushResult result, CancellationToken cancellationToken)
    {
        if (!result.IsCompleted && (context.IsCancelled || cancellationToken.IsCancellationRequested))
        {
            throw new OperationCanceledException("Request aborted while sending the message.");
        }
    }
}
