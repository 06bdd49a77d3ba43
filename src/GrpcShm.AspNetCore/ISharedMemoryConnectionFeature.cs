using GrpcShm.Transport;

namespace GrpcShm.AspNetCore;

/// <summary>
/// Describes a shared-memory connection:
/// <c>HttpContext.Features.Get&lt;ISharedMemoryConnectionFeature&gt;()</c>. Absent on connections of other transports.
/// Code that knows nothing of shared memory finds the peer as <c>IConnectionUserFeature.User</c>, with the claims
/// <c>NameIdentifier</c> (<see cref="PeerIdentity.Id"/>), <c>gid</c> (if the system tells the group) and <c>pid</c>.
/// For authorization policies, <c>AddSharedMemoryPeer</c> makes the peer the user of each call.
/// </summary>
public interface ISharedMemoryConnectionFeature
{
    /// <summary>The endpoint to which the client has connected.</summary>
    SharedMemoryEndPoint EndPoint { get; }

    /// <summary>The client's process and user, as the operating system reports them.</summary>
    SharedMemoryPeer Peer { get; }
}
