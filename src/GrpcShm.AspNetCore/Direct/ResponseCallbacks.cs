namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The callbacks that run before a response starts, and when it is over. They are foreign code. By the handler.
/// </summary>
internal sealed class ResponseCallbacks(ServerCall call)
{
    private Stack<(Func<object, Task> Callback, object State)>? _starting;
    private Stack<(Func<object, Task> Callback, object State)>? _completed;

    // The number of writes and the like that wait for callbacks before the start. Each counts itself, on its own
    // thread. Read when the handler has ended and the call has left, after the exchange by which the last user lets go.
    // A handler that did not await one of them may have left it behind, and it must not go on in the next call.
    private int _waits;

    /// <summary>True if there are callbacks that run before the start.</summary>
    public bool HasStarting => _starting is { Count: > 0 };

    /// <summary>
    /// True while a write of the handler, or the like, waits for callbacks before the start, and will go on with the
    /// call after them.
    /// </summary>
    public bool AreAwaited => Volatile.Read(ref _waits) > 0;

    public void AddStarting(Func<object, Task> callback, object state) => (_starting ??= []).Push((callback, state));

    public void AddCompleted(Func<object, Task> callback, object state) => (_completed ??= []).Push((callback, state));

    /// <summary>
    /// Counts a write of the handler, or the like, that waits for callbacks before the start, until the result is
    /// disposed of.
    /// </summary>
    public Wait BeginWait() => new(this);

    /// <summary>
    /// Runs the callbacks before the start, the last one first. If one of them throws, this throws the same.
    /// </summary>
    public async Task RunStartingAsync()
    {
        while (_starting!.TryPop(out var next))
        {
            await next.Callback(next.State).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the callbacks for the end of the response, the last one first. Never throws.</summary>
    public async ValueTask RunCompletedAsync()
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
                call.LogFailure(exception);
            }
        }
    }

    /// <summary>Removes the callbacks that run before the start.</summary>
    public void ClearStarting() => _starting?.Clear();

    /// <summary>Prepares them for the next call.</summary>
    public void Reuse()
    {
        _starting?.Clear();
        _completed?.Clear();
    }

    /// <summary>Counts one wait for callbacks before the start, until it is disposed of.</summary>
    public readonly struct Wait : IDisposable
    {
        private readonly ResponseCallbacks _callbacks;

        public Wait(ResponseCallbacks callbacks)
        {
            _callbacks = callbacks;
            Interlocked.Increment(ref callbacks._waits);
        }

        public void Dispose() => Interlocked.Decrement(ref _callbacks._waits);
    }
}
