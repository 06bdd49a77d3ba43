using System.Collections.Concurrent;

namespace GrpcShm.Client.Direct;

/// <summary>Calls that have ended and may serve again. Any thread.</summary>
/// <param name="createExchange">Makes the exchange of a call, once for each call object.</param>
internal sealed class ClientCallPool(Func<ClientCall, ICallExchange> createExchange)
{
    // So many are only kept if so many were under way at once.
    private const int MaxCalls = 256;

    private readonly ConcurrentQueue<ClientCall> _calls = [];
    private ClientCall? _last;
    private int _count;

    public ClientCall Rent()
    {
        if (Interlocked.Exchange(ref _last, null) is { } last)
        {
            return last;
        }

        if (_calls.TryDequeue(out var call))
        {
            Interlocked.Decrement(ref _count);
            return call;
        }

        return new ClientCall(this, createExchange);
    }

    public void Return(ClientCall call)
    {
        // A caller that makes one call after the other needs no queue.
        if (Interlocked.CompareExchange(ref _last, call, null) is null)
        {
            return;
        }

        if (Interlocked.Increment(ref _count) > MaxCalls)
        {
            Interlocked.Decrement(ref _count);
        }
        else
        {
            _calls.Enqueue(call);
        }
    }
}
