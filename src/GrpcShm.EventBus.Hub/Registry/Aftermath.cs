using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// The work that is left after registrations or an end. Work that runs foreign code is done when the registry's lock
/// has been left.
/// </summary>
/// <param name="lanes">The hub's routes, which end with their machines; none where there are none.</param>
internal sealed class Aftermath(HubLanes? lanes)
{
    /// <summary>The machines that were registered, of which watchers are to be told under the lock.</summary>
    public List<MachineEntry> New { get; } = [];

    /// <summary>The machines that were removed.</summary>
    public List<MachineEntry> Removed { get; } = [];

    /// <summary>The watchers that were told of a change.</summary>
    public RoutingContext Told { get; } = new();

    public void Run()
    {
        foreach (var machine in Removed)
        {
            machine.End();
            lanes?.WithdrawMachine(machine, Told);
        }

        Told.SignalAll();
    }
}
