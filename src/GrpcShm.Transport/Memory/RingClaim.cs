namespace GrpcShm.Transport.Memory;

/// <summary>A piece of a ring that one thread writes; see <see cref="ClaimingProducer"/>.</summary>
/// <param name="Start">The cursor at which it begins, with its gap.</param>
/// <param name="Gap">How many bytes at the end of the ring's memory are left out, so that the piece is
/// contiguous.</param>
/// <param name="End">The cursor behind it.</param>
internal readonly record struct RingClaim(long Start, int Gap, long End);
