using System.Security.Claims;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus;

/// <summary>Who calls the hub.</summary>
public sealed class EventBusPeer
{
    private readonly PeerIdentity _identity;
    private readonly MachineOwner? _owner;

    internal EventBusPeer(PeerIdentity identity, MachineOwner? owner) => (_identity, _owner) = (identity, owner);

    /// <summary>
    /// The user that the server's authentication knows (<c>HttpContext.User</c>), or else the one that the operating system
    /// knows: over shared memory, and over Unix sockets on Linux, its claims are the user's id
    /// (<see cref="ClaimTypes.NameIdentifier"/>), <c>gid</c> and <c>pid</c>, and its authentication type is
    /// <c>PeerCredentials</c>. Where neither knows it, it is not authenticated.
    /// </summary>
    public ClaimsPrincipal User => _identity.User;

    /// <summary>
    /// The user in one word: the authentication type, a colon, and the name identifier, or else the claim <c>sub</c>, the name, or the
    /// connection's id. For example <c>PeerCredentials:1000</c>. Empty if nobody says who it is.
    /// </summary>
    public string UserId => _identity.UserId;

    /// <summary>The process, as the operating system says; zero where it is not known here. Only good for logs.</summary>
    public int ProcessId => _identity.ProcessId;

    /// <summary>What the client calls its process's instance. It is what the client claims, and may be empty.</summary>
    public string InstanceId => _owner?.InstanceId ?? "";

    /// <summary>The name that the client gave itself, for people to read. It is what the client claims, and may be empty.</summary>
    public string Name => _owner?.Name ?? "";
}
