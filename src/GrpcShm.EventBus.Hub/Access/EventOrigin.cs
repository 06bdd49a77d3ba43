using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>The origin of events: knows its own machines, and the number that stands for it.</summary>
internal abstract class EventOrigin
{
    /// <summary>True if the policy lets the event in hand come from a machine of another process.</summary>
    public bool MaySendAsOther { get; set; }

    /// <summary>Makes the number by which receivers know the sender.</summary>
    /// <param name="claimed">
    /// The number that the client gave. It only tells apart the events that the client itself sends.
    /// </param>
    public abstract ulong Stamp(ulong claimed);

    /// <summary>True if the machines of an owner belong to this origin.</summary>
    public abstract bool Owns(MachineOwner owner);
}
