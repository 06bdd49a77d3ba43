namespace Samples.Stress.Journals;

/// <summary>
/// The position of a track: the number of the last event, and a digest of all events up to it, in their order.
/// </summary>
internal readonly record struct Position(long Sequence, ulong Digest);
