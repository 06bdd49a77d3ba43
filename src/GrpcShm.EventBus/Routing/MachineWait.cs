namespace GrpcShm.EventBus.Routing;

/// <summary>Says that the handler of one machine waits until another machine has handled an event.</summary>
internal abstract class MachineWait(string waiting, string awaited)
{
    /// <summary>The machine whose handler waits: until then it handles nothing else.</summary>
    public string Waiting { get; } = waiting;

    /// <summary>The machine that it waits for.</summary>
    public string Awaited { get; } = awaited;

    /// <summary>Whether it waits no more, though nobody has removed this yet.</summary>
    public abstract bool IsOver { get; }
}
