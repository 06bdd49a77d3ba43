namespace GrpcShm.EventBus.Routing;

/// <summary>Says that the handler of one machine waits until another machine has handled an event.</summary>
internal abstract class MachineWait(string waiting, string awaited)
{
    /// <summary>The machine whose handler waits. Until the wait is over, it handles no other event.</summary>
    public string Waiting { get; } = waiting;

    /// <summary>The machine that the handler waits for.</summary>
    public string Awaited { get; } = awaited;

    /// <summary>True if the handler waits no more, though the wait has not been removed yet.</summary>
    public abstract bool IsOver { get; }
}
