namespace GrpcShm.AspNetCore.Direct;

/// <summary>What waits for the callbacks before the start of the response.</summary>
internal abstract partial class ServerCall
{
    // Writes and the like that wait for what runs before the start. Each counts itself, on whatever thread it is; read when the handler has
    // ended and the call has left, behind the exchange by which the last user lets go. A handler that did not await one of them may
    // have left it behind, and it must not go on in the next call.
    private int _startingWaits;

    /// <summary>Something of the handler waits for what runs before the start, and goes on with this call behind that.</summary>
    private readonly struct StartingWait : IDisposable
    {
        private readonly ServerCall _call;

        public StartingWait(ServerCall call)
        {
            _call = call;
            Interlocked.Increment(ref call._startingWaits);
        }

        public void Dispose() => Interlocked.Decrement(ref _call._startingWaits);
    }
}
