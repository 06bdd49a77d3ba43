namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// What wants to be run before a response starts, and when it is over. They are foreign code. By the handler.
/// </summary>
internal sealed class ResponseCallbacks(ServerCall call)
{
    private Stack<(Func<object, Task> Callback, object State)>? _starting;
    private Stack<(Func<object, Task> Callback, object State)>? _completed;

    // Writes and the like that wait for what runs before the start. Each counts itself, on whatever thread it is; read
    // when the handler has ended and the call has left, behind the exchange by which the last user lets go. A handler
    // that did not await one of them may have left it behind, and it must not go on in the next call.
    private int _waits;

    /// <summary>Whether anything wants to be run before the start.</summary>
    public bool HasStarting => _starting is { Count: > 0 };

    /// <summary>
    /// Whether something of the handler waits for what runs before the start, and goes on with the call behind that.
    /// </summary>
    public bool AreAwaited => Volatile.Read(ref _waits) > 0;

    public void AddStarting(Func<object, Task> callback, object state) => (_starting ??= []).Push((callback, state));

    public void AddCompleted(Func<object, Task> callback, object state) => (_completed ??= []).Push((callback, state));

    /// <summary>
    /// Counts something of the handler as waiting for what runs before the start, until that is disposed of.
    /// </summary>
    public Wait BeginWait() => new(this);

    /// <summary>
    /// Runs what wants to be run before the start, the last one first. Throws what one of them throws.
    /// </summary>
    public async Task RunStartingAsync()
    {
        while (_starting!.TryPop(out var next))
        {
            await next.Callback(next.State).ConfigureAwait(false);
        }
    }

    /// <summary>Runs what wants to be run when the response is over. Never throws.</summary>
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

    /// <summary>Runs nothing before the start any more.</summary>
    public void ClearStarting() => _starting?.Clear();

    /// <summary>Makes them as new.</summary>
    public void Reuse()
    {
        _starting?.Clear();
        _completed?.Clear();
    }

    /// <summary>Something of the handler waits for what runs before the start.</summary>
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
