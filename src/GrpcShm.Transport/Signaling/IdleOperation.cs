namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Takes the place of an operation if there is none to signal: threads that send frames wait in other ways.
/// </summary>
internal sealed class IdleOperation : ISignaledOperation
{
    public static IdleOperation Instance { get; } = new();

    public bool IsWaiting => false;

    public void Signal(bool onReactor)
    {
    }

    public void Seal(Action afterLast) => afterLast();
}
