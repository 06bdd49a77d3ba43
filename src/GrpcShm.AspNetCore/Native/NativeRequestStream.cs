using System.IO.Pipelines;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The messages of a client, as a handler reads them.</summary>
/// <remarks>
/// Under the gate: all use of the call's parts, and the end. So a read that a handler has left behind finds that the
/// call is over, and never takes a message of the next call. The deserializer runs under it as well, since it reads
/// what the call has received.
/// </remarks>
internal sealed class NativeRequestStream<T>(
    NativeCallContext context, Func<DeserializationContext, T> deserialize) : IAsyncStreamReader<T>
    where T : class
{
    private readonly Lock _gate = new();
    private bool _isComplete;

    public T Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }

        lock (_gate)
        {
            if (_isComplete || context.IsAborted)
            {
                return Task.FromException<bool>(CreateComplete());
            }
        }

        Current = null!;
        return ReadAsync(cancellationToken);
    }

    /// <summary>Ends the stream, since its handler has ended.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
        }
    }

    private static InvalidOperationException CreateComplete() =>
        new("Can't read messages after the request is complete.");

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                ValueTask<ReadResult> reading;
                lock (_gate)
                {
                    reading = _isComplete ? throw CreateComplete() : context.Input.ReadAsync(cancellationToken);
                }

                var read = await reading.ConfigureAwait(false);
                lock (_gate)
                {
                    if (_isComplete)
                    {
                        throw CreateComplete();
                    }

                    if (TryTake(read, out var message))
                    {
                        Current = message;
                        return true;
                    }
                }

                if (read.IsCompleted)
                {
                    return false;
                }
            }
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            GrpcLog.ReadFailed(context.Native.Logger, exception);
            lock (_gate)
            {
                if (!_isComplete)
                {
                    context.TellEncodings(exception);
                }
            }

            throw;
        }
    }

    private bool TryTake(in ReadResult read, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? message)
    {
        var data = read.Buffer;
        message = null;
        try
        {
            if (read.IsCanceled)
            {
                throw new RpcException(new Status(StatusCode.Internal, "Incoming message cancelled."));
            }

            if (context.Parts.Reader.TryTake(ref data, deserialize, out message))
            {
                return true;
            }

            if (read.IsCompleted && !data.IsEmpty)
            {
                throw new RpcException(new Status(StatusCode.Internal, "Incomplete message."));
            }

            return false;
        }
        finally
        {
            context.Input.AdvanceTo(data.Start, message is null ? data.End : data.Start);
        }
    }
}
