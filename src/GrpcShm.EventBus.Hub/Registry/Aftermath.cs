using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// What is left to do after registrations or an end; when the registry's lock has been left, if foreign code runs by
/// it.
/// </summary>
internal sealed class Aftermath
{
    /// <summary>The machines that were registered, and are to be told of under the lock.</summary>
    public List<MachineEntry> New { get; } = [];

    /// <summary>The machines that were removed.</summary>
    public List<MachineEntry> Removed { get; } = [];

    /// <summary>Those who were told of a change.</summary>
    public RoutingContext Told { get; } = new();

    public void Run()
    {
        foreach (var machine in Removed)
        {
            machine.End();
        }

        Told.SignalAll();
    }
}
