using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>Says that a machine is there, or has gone.</summary>
public sealed class MachinePresence
{
    /// <summary>The machine.</summary>
    public required string MachineId { get; init; }

    /// <summary>
    /// What happened: the machine was there when the subscription began, it was registered, it was unregistered by its
    /// owner's wish, or it was lost because its process died or could not be reached any more.
    /// </summary>
    public required MachineChangeKind Change { get; init; }

    /// <summary>Whether the machine is there now.</summary>
    public bool IsPresent => Change is MachineChangeKind.Present or MachineChangeKind.Registered;

    /// <summary>The reason why a machine has gone, for people to read. Else empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The groups that the machine is or was a member of.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The name that the machine's process gave itself; may be empty.</summary>
    public string Owner { get; init; } = "";

    /// <summary>When it happened, by the hub's clock (UTC).</summary>
    public DateTime Timestamp { get; init; }
}
