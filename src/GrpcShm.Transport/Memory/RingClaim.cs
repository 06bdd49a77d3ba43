namespace GrpcShm.Transport.Memory;

/// <summary>A piece of a ring that one thread writes; see <see cref="ClaimingProducer"/>.</summary>
/// <param name="Start">The cursor at which it begins, with its gap.</param>
/// <param name="Gap">Bytes at the end of the ring's memory that are left out, so that the piece is in one
/// stretch.</param>
/// <param name="End">The cursor behind it.</param>
internal readonly record struct RingClaim(long Start, int Gap, long End);
