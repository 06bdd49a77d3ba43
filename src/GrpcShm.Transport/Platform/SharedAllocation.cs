using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>Fresh shared memory: the mapping of this process, and the handle with which the peer can map it.</summary>
/// <param name="Mapping">All bytes are zero and allocated, and nobody can change the size any more.</param>
/// <param name="Grant">The handle to send to the peer, and then to close: the mapping does not need it.</param>
internal sealed record SharedAllocation(MappedMemory Mapping, SafeHandle Grant);
