using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>Where events come from: which machines are its own, and which number stands for it.</summary>
internal abstract class EventOrigin
{
    /// <summary>Whether the policy lets the event in hand come from a machine of another process.</summary>
    public bool MaySendAsOther { get; set; }

    /// <summary>The number by which receivers know the sender.</summary>
    /// <param name="claimed">The number that the client gave, which is worth nothing but within what it sends
    /// itself.</param>
    public abstract ulong Stamp(ulong claimed);

    /// <summary>Whether the machines of an owner are its own.</summary>
    public abstract bool Owns(MachineOwner owner);
}
