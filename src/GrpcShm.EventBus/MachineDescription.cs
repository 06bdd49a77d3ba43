using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>A registered machine, as the hub sees it.</summary>
/// <param name="MachineId">The machine.</param>
/// <param name="Groups">The groups that the machine is a member of, sorted.</param>
/// <param name="IsSubscribed">
/// Whether its process takes its events. If not, the events wait at the hub, within a bound.
/// </param>
/// <param name="Waiting">How many events wait at the hub.</param>
/// <param name="RegisteredAt">When it was registered, by the hub's clock (UTC).</param>
/// <param name="Owner">The name that its process gave itself; may be empty.</param>
public sealed record MachineDescription(
    string MachineId, IReadOnlyList<string> Groups, bool IsSubscribed, int Waiting, DateTime RegisteredAt, string Owner)
{
    internal static MachineDescription From(Machine machine) => new(
        machine.MachineId,
        machine.Groups,
        machine.Subscribed,
        (int)machine.Waiting,
        DateTime.UnixEpoch.AddTicks(machine.RegisteredAt),
        machine.Owner);
}
