namespace GrpcShm.EventBus.Routing;

/// <summary>An item of a <see cref="SlotList{T}"/>, which notes its place there. It is in one list at most.</summary>
internal interface ISlotted
{
    /// <summary>The place. Only the list uses it.</summary>
    int Slot { get; set; }
}
