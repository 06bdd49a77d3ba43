namespace Samples.Stress.Journals;

/// <summary>
/// How far a lane has come: the last event's number, and a digest of all events up to it, in their order.
/// </summary>
internal readonly record struct Position(long Sequence, ulong Digest);
