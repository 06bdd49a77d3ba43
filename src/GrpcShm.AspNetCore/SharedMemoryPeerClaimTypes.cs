using System.Security.Claims;
using GrpcShm.Transport;

namespace GrpcShm.AspNetCore;

/// <summary>
/// The types of the claims that <c>AddSharedMemoryPeer</c> makes of the process at the other end of a shared-memory
/// connection. All of them are facts of the moment at which that process connected, as this process sees them. If the
/// process changes its user later, the claims stay.
/// </summary>
public static class SharedMemoryPeerClaimTypes
{
    /// <summary>
    /// The user's id, as <see cref="PeerIdentity.Id"/> describes it. Always there. This is
    /// <see cref="ClaimTypes.NameIdentifier"/>.
    /// </summary>
    public const string UserId = ClaimTypes.NameIdentifier;

    /// <summary>
    /// The user's name, if the system of this process has a name for the id. This is <see cref="ClaimTypes.Name"/>, so
    /// it is also the name of the identity.
    /// </summary>
    public const string UserName = ClaimTypes.Name;

    /// <summary>
    /// The id of the process's effective group, if the system tells it. A user's other groups are not known.
    /// </summary>
    public const string GroupId = "gid";

    /// <summary>
    /// The process's id as this process sees it; missing if it has none here, as in another container. For logs alone:
    /// the system may have given the id to another process since.
    /// </summary>
    public const string ProcessId = "pid";
}
