using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Lets authorization policies decide by the process at the other end of a shared-memory connection.
/// </summary>
public static class SharedMemoryPeerExtensions
{
    /// <summary>
    /// Adds authentication by the identity of the peer, under the name
    /// <see cref="SharedMemoryPeerDefaults.AuthenticationScheme"/>. See the overload with all parameters.
    /// </summary>
    /// <param name="builder">The server's authentication.</param>
    /// <param name="configure">Changes the options.</param>
    /// <returns>The server's authentication.</returns>
    public static AuthenticationBuilder AddSharedMemoryPeer(
        this AuthenticationBuilder builder, Action<SharedMemoryPeerOptions>? configure = null) =>
        AddSharedMemoryPeer(builder, SharedMemoryPeerDefaults.AuthenticationScheme, configure);

    /// <summary>
    /// Adds authentication by the identity of the peer: the operating system says which user's process has made the
    /// connection, without a password or a certificate. The user of a call then has the claims of
    /// <see cref="SharedMemoryPeerClaimTypes"/>, in direct mode as over HTTP/2. A call over another transport has no
    /// result, so other schemes may authenticate it.
    /// </summary>
    /// <param name="builder">The server's authentication.</param>
    /// <param name="authenticationScheme">The name of the scheme.</param>
    /// <param name="configure">Changes the options.</param>
    /// <returns>The server's authentication.</returns>
    public static AuthenticationBuilder AddSharedMemoryPeer(
        this AuthenticationBuilder builder,
        string authenticationScheme,
        Action<SharedMemoryPeerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(authenticationScheme);
        builder.Services.TryAddSingleton<PeerUserNames>();
        return builder.AddScheme<SharedMemoryPeerOptions, SharedMemoryPeerHandler>(authenticationScheme, configure);
    }

    /// <summary>
    /// Requires that the caller's process runs as one of these users, by the identity that <c>AddSharedMemoryPeer</c>
    /// has found. Claims of other schemes do not count. If the server has more schemes than one, also name the scheme:
    /// <c>policy.AddAuthenticationSchemes(SharedMemoryPeerDefaults.AuthenticationScheme)</c>.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="users">
    /// Ids (<c>"1000"</c>) or names (<c>"orders"</c>) of users; one match suffices. A text of digits, or a text that
    /// begins with <c>S-1-</c>, is an id and never a name. The name of a user is the name that the server's system has
    /// for the id.
    /// </param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">No user is given, or one of them is empty.</exception>
    public static AuthorizationPolicyBuilder RequireSharedMemoryUser(
        this AuthorizationPolicyBuilder policy, params string[] users)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.AddRequirements(new PeerUserRequirement(users));
    }
}
