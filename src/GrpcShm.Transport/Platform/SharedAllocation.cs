using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>Fresh shared memory: this process's mapping of it, and what the peer needs to map it as well.</summary>
/// <param name="Mapping">Zeroed, allocated in full, and of a size that nobody can change any more.</param>
/// <param name="Grant">To be handed to the peer, and then closed: the mapping does not need it.</param>
internal sealed record SharedAllocation(MappedMemory Mapping, SafeHandle Grant);
