using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus.Lanes;

/// <summary>An event as it is written to a lane.</summary>
/// <param name="Event">The event.</param>
/// <param name="Number">Its number on the lane.</param>
/// <param name="Route">The number of its route.</param>
/// <param name="Stamp">The number of its sender, as receivers see it.</param>
internal readonly record struct LaneSend(PendingEvent Event, ulong Number, uint Route, ulong Stamp);
