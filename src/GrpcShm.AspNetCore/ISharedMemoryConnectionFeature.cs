using GrpcShm.Transport;

namespace GrpcShm.AspNetCore;

/// <summary>
/// What is known of a shared-memory connection:
/// <c>HttpContext.Features.Get&lt;ISharedMemoryConnectionFeature&gt;()</c>. Absent on connections of other transports.
/// What knows nothing of shared memory finds the peer as <c>IConnectionUserFeature.User</c>, with the claims
/// <c>NameIdentifier</c> (<see cref="PeerIdentity.Id"/>), <c>gid</c> (if the system tells the group) and <c>pid</c>.
/// </summary>
public interface ISharedMemoryConnectionFeature
{
    /// <summary>The endpoint that the client has connected to.</summary>
    SharedMemoryEndPoint EndPoint { get; }

    /// <summary>Who the client is, as the operating system says.</summary>
    SharedMemoryPeer Peer { get; }
}
