namespace GrpcShm.EventBus.Wire;

/// <summary>What each receiver has to know of an event that came as bytes.</summary>
/// <param name="Rest">The bytes of its other fields: an array of its own.</param>
/// <param name="Name">The name of the event.</param>
/// <param name="Source">The machine that it comes from; may be empty.</param>
/// <param name="Target">The machine that it is for; may be empty.</param>
/// <param name="Sender">The number of its sender; zero: none.</param>
/// <param name="Sequence">Its place among the events of its sender; zero: none.</param>
/// <param name="IsSpecial">True if it has a group, or tells of a change of state.</param>
internal readonly record struct ReadEvent(
    byte[] Rest, string Name, string Source, string Target, ulong Sender, ulong Sequence, bool IsSpecial);
