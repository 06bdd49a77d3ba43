namespace GrpcShm.AspNetCore;

/// <summary>The names that the authentication of <c>AddSharedMemoryPeer</c> has.</summary>
public static class SharedMemoryPeerDefaults
{
    /// <summary>The name of the authentication scheme, unless <c>AddSharedMemoryPeer</c> is given another.</summary>
    public const string AuthenticationScheme = "SharedMemoryPeer";

    /// <summary>
    /// The <see cref="System.Security.Claims.ClaimsIdentity.AuthenticationType"/> of the identities, whatever the name
    /// of the scheme is. The event service calls these users <c>PeerCredentials:1000</c>, with authentication and
    /// without.
    /// </summary>
    public const string AuthenticationType = "PeerCredentials";
}
