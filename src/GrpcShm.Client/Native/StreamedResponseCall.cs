using Grpc.Core;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>A call with a stream of response messages, which is its own reader.</summary>
internal abstract class StreamedResponseCall<TRequest, TResponse> : NativeCall, IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private static readonly object Arrived = new();

    // Nothing, then either the source of a task for which the reader waits, or a mark that the response has come, or
    // never will. By the reader and by the completion, by compare-and-swap.
    private object? _arrival;

    // Written by the completion before it sets _owned.
    private ResponseGuard? _guard;
    private NativeExchange? _owned;
    private HalfUse _use;

    // The response of the same call that grpc-dotnet makes. Written before the arrival.
    private IAsyncStreamReader<TResponse>? _others;

    protected StreamedResponseCall(
        NativeChannel channel, NativeMethod<TRequest, TResponse> method, in CallOptions options)
        : base(channel, method.Target, method.Scope, options)
    {
        Method = method;
    }

    public TResponse Current { get; private set; } = null!;

    public override bool TakesLoans => NativeMethod<TRequest, TResponse>.AnswersWithLoans;

    protected NativeMethod<TRequest, TResponse> Method { get; }

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        if (HasEnded)
        {
            return EndOfStream(cancellationToken);
        }

        switch (_use.Enter())
        {
            case HalfUse.Entry.InUse:
                var misuse = new InvalidOperationException(
                    "Can't read the next message because the previous read is still in progress.");
                Log?.WriteWrongRead(misuse);
                return Task.FromException<bool>(misuse);
            case HalfUse.Entry.Ended:
                // At the same moment.
                return EndOfStream(cancellationToken);
        }

        if (cancellationToken.CanBeCanceled || Volatile.Read(ref _owned) is null)
        {
            return MoveNextAsync(cancellationToken);
        }

        bool? hasMoved;
        try
        {
            hasMoved = TryMove();
        }
        catch (Exception exception)
        {
            FailReading(exception);
            Leave();
            return AfterFailure(exception, cancellationToken);
        }

        if (hasMoved is null)
        {
            return MoveNextAsync(cancellationToken);
        }

        Leave();
        return hasMoved.Value ? Task.FromResult(true) : EndOfStream(cancellationToken);
    }

    /// <summary>Takes the response of the same call that grpc-dotnet makes.</summary>
    protected void Take(IAsyncStreamReader<TResponse> messages, OtherCall other)
    {
        _others = messages;
        GoOnAs(other);
        Arrive();
    }

    protected override void OnResponse(NativeExchange exchange, bool isWhole)
    {
        if (!isWhole)
        {
            _guard = new ResponseGuard(exchange.Call);
        }

        Interlocked.Exchange(ref _owned, exchange);
        if (_use.HasEnded)
        {
            Drop();
        }

        Arrive();
    }

    protected override void OnOver()
    {
        if (_use.End())
        {
            Drop();
        }
    }

    protected override void OnEndedByHeaders(NativeExchange exchange, Status status, bool isWhole)
    {
        if (status.StatusCode == StatusCode.OK)
        {
            // Messages may follow all the same, as over grpc-dotnet.
            OnResponse(exchange, isWhole);
            return;
        }

        EndResponse(exchange, status, isWhole);
        Arrive();
    }

    protected override void OnFailed(Status status) => Arrive();

    private async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            using var registration = CancelBy(cancellationToken);
            await AwaitArrivalAsync().ConfigureAwait(false);
            while (!HasEnded)
            {
                if (_others is { } messages)
                {
                    if (await MoveAsync(messages).ConfigureAwait(false))
                    {
                        return true;
                    }

                    break;
                }

                if (TryMove() is { } hasMoved)
                {
                    if (hasMoved)
                    {
                        return true;
                    }

                    break;
                }

                var read = await Exchange!.ReadAsync().ConfigureAwait(false);
                Exchange.Call.CallStream.Input.AdvanceTo(read.Buffer.Start);
            }
        }
        catch (Exception exception)
        {
            failure = exception;
            FailReading(exception);
        }
        finally
        {
            Leave();
        }

        return await (failure is null ? EndOfStream(cancellationToken) : AfterFailure(failure, cancellationToken))
            .ConfigureAwait(false);
    }

    /// <summary>Takes the next message, or the end, of the same call that grpc-dotnet makes.</summary>
    /// <returns>True for a message. If not, the call has ended.</returns>
    private async Task<bool> MoveAsync(IAsyncStreamReader<TResponse> messages)
    {
        Exception? failure = null;
        try
        {
            // Without a token: whoever gives this call up ends the other one.
            if (await messages.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                Current = messages.Current;
                return true;
            }
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        Current = null!;
        await EndAsOtherAsync(failure).ConfigureAwait(false);
        return false;
    }

    /// <summary>Takes the next message, or the end, if it has come.</summary>
    /// <returns>True for a message, false for the end; nothing if neither has come.</returns>
    private bool? TryMove()
    {
        var exchange = Exchange!;
        var input = exchange.Call.CallStream.Input;
        while (exchange.TryRead(out var read))
        {
            var data = read.Buffer;
            if (exchange.Reader.TryTake(ref data, Method.Deserialize, out var message))
            {
                input.AdvanceTo(data.Start);
                Current = message;
                return true;
            }

            if (read.IsCompleted)
            {
                if (!data.IsEmpty || exchange.Reader.IsWithinMessage)
                {
                    throw exchange.Reader.CreateIncomplete(data.Length);
                }

                input.AdvanceTo(data.End);
                Current = null!;
                if (TakeResponse() is not null)
                {
                    EndResponse(exchange, exchange.StatusOfTrailers, isWhole: true);
                }

                return false;
            }

            input.AdvanceTo(data.Start, data.End);
        }

        return null;
    }

    private void FailReading(Exception exception)
    {
        if (TakeResponse() is { } exchange)
        {
            FailResponse(exchange, ResponseStatus.Reading, exception);
        }
    }

    /// <summary>
    /// Tells how a read has failed: by the status of the call. If that is all right, a listener of metrics has thrown
    /// when the call was taken off its connection.
    /// </summary>
    private Task<bool> AfterFailure(Exception exception, CancellationToken cancellationToken) =>
        GetStatus().StatusCode == StatusCode.OK
            ? Task.FromException<bool>(exception)
            : EndOfStream(cancellationToken);

    /// <summary>Ends a read.</summary>
    private void Leave()
    {
        if (_use.Leave())
        {
            // The call has ended meanwhile, and has left the response to this read.
            Drop();
        }
    }

    /// <summary>Drops a response that nobody will read.</summary>
    private void Drop()
    {
        if (TakeResponse() is { } exchange)
        {
            DropQuietly(exchange.Call);
        }
    }

    /// <summary>Takes the response away from whoever else may end it.</summary>
    private NativeExchange? TakeResponse()
    {
        var exchange = Interlocked.Exchange(ref _owned, null);
        if (exchange is not null)
        {
            _guard?.Dispose();
        }

        return exchange;
    }

    private Task<bool> EndOfStream(CancellationToken cancellationToken)
    {
        var status = GetStatus();
        return status.StatusCode == StatusCode.OK
            ? Task.FromResult(false)
            : Task.FromException<bool>(CreateException(status, isStream: true, cancellationToken));
    }

    private Task AwaitArrivalAsync()
    {
        var arrival = Volatile.Read(ref _arrival);
        if (arrival is null)
        {
            // The reader goes on where the completion runs, which is chosen with care.
            var source = new TaskCompletionSource();
            arrival = Interlocked.CompareExchange(ref _arrival, source, null) ?? source;
        }

        return arrival is TaskCompletionSource waiting ? waiting.Task : Task.CompletedTask;
    }

    private void Arrive()
    {
        if (Interlocked.Exchange(ref _arrival, Arrived) is TaskCompletionSource source)
        {
            source.TrySetResult();
        }
    }
}
