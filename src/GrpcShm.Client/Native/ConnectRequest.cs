using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>Waits for a connection on behalf of a channel, and not of a call. Nothing is ever sent for it.</summary>
internal sealed class ConnectRequest(CancellationToken cancellationToken) : IPendingCall
{
    public ClientCallPool Carriers => throw NothingToSend();

    public CancellationToken CancellationToken => cancellationToken;

    public bool IsObserved => false;

    public bool WaitsForServer => true;

    public int Failures { get; set; }

    public string? WhyNotCarried { get; set; }

    public CallTarget? FindTarget() => throw NothingToSend();

    public void EnterQueue()
    {
    }

    public void LeaveQueue()
    {
    }

    public Task SendElsewhereAsync(SendResult reason) => throw NothingToSend();

    public void Fail(Exception failure) => throw NothingToSend();

    public bool TrySetException(Exception exception) => throw NothingToSend();

    public bool TrySetCanceled(CancellationToken cancellationToken) => throw NothingToSend();

    private static InvalidOperationException NothingToSend() => new("A request for a connection is no call.");
}
