using System.Security.Claims;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus;

/// <summary>A caller of the hub.</summary>
public sealed class EventBusPeer
{
    private readonly PeerIdentity _identity;
    private readonly MachineOwner? _owner;

    internal EventBusPeer(PeerIdentity identity, MachineOwner? owner) => (_identity, _owner) = (identity, owner);

    /// <summary>
    /// The user that the server's authentication knows (<c>HttpContext.User</c>), or else the user that the operating
    /// system knows: over shared memory, and over Unix sockets on Linux, its claims are the user's id
    /// (<see cref="ClaimTypes.NameIdentifier"/>), <c>gid</c> and <c>pid</c>, and its authentication type is
    /// <c>PeerCredentials</c>. Where neither knows the user, it is not authenticated.
    /// </summary>
    public ClaimsPrincipal User => _identity.User;

    /// <summary>
    /// The user in one word: the authentication type, a colon, and the name identifier, or else the claim <c>sub</c>,
    /// the name, or the connection's id. For example <c>PeerCredentials:1000</c>. Empty if the user is not known.
    /// </summary>
    public string UserId => _identity.UserId;

    /// <summary>
    /// The process, as the operating system knows it; zero where it is not known. Use it for logs only.
    /// </summary>
    public int ProcessId => _identity.ProcessId;

    /// <summary>The name of the process's instance. It is a claim of the client, and may be empty.</summary>
    public string InstanceId => _owner?.InstanceId ?? "";

    /// <summary>
    /// The name that the client gave itself, for people to read. It is a claim of the client, and may be empty.
    /// </summary>
    public string Name => _owner?.Name ?? "";
}
