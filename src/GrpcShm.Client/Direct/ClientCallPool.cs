namespace GrpcShm.Client.Direct;

/// <summary>Calls that have ended and may serve again. Any thread.</summary>
/// <param name="createExchange">Makes the exchange of a call, once for each call object.</param>
internal sealed class ClientCallPool(Func<ClientCall, ICallExchange> createExchange)
{
    private readonly FreeList<ClientCall> _calls = new();

    public ClientCall Rent() => _calls.TryTake(out var call) ? call : new ClientCall(this, createExchange);

    public void Return(ClientCall call) => _calls.TryAdd(call);
}
