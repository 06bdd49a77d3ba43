using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Authentication;

/// <summary>The caller's process runs as one of these users. A requirement that checks itself.</summary>
internal sealed class PeerUserRequirement : AuthorizationHandler<PeerUserRequirement>, IAuthorizationRequirement
{
    private readonly string[] _users;

    public PeerUserRequirement(string[] users)
    {
        ArgumentNullException.ThrowIfNull(users);
        if (users.Length == 0)
        {
            throw new ArgumentException(
                "No user is given, so nobody could meet this requirement. Name at least one user, by id or by name.",
                nameof(users));
        }

        foreach (var user in users)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(user, nameof(users));
        }

        _users = [.. users];
    }

    /// <summary>For the log lines about requirements that were not met.</summary>
    public override string ToString() =>
        $"{nameof(PeerUserRequirement)}: the caller's process runs as one of these users: {string.Join(", ", _users)}.";

    protected override Task HandleRequirementAsync(
        AuthorizationHandlerContext context, PeerUserRequirement requirement)
    {
        foreach (var identity in context.User.Identities)
        {
            // Another scheme may well have the same types of claims, with values that the caller can choose.
            if (identity.AuthenticationType == SharedMemoryPeerDefaults.AuthenticationType
                && IsOneOf(identity)
                && IsOfTheConnection(context.Resource, identity))
            {
                context.Succeed(requirement);
                break;
            }
        }

        return Task.CompletedTask;
    }

    private bool IsOneOf(ClaimsIdentity identity)
    {
        foreach (var user in _users)
        {
            if (identity.HasClaim(
                IsId(user) ? SharedMemoryPeerClaimTypes.UserId : SharedMemoryPeerClaimTypes.UserName, user))
            {
                return true;
            }
        }

        return false;
    }

    // An application may have written the identity of one call into a cookie, which another process then sends.
    private static bool IsOfTheConnection(object? resource, ClaimsIdentity identity) =>
        resource is not HttpContext call
        || (call.Features.Get<ISharedMemoryConnectionFeature>() is { } connection
            && identity.HasClaim(SharedMemoryPeerClaimTypes.UserId, connection.Peer.User.Id));

    // A user may have a name that looks like the id of another user. It is not taken for that user.
    private static bool IsId(string user) =>
        user.StartsWith("S-1-", StringComparison.Ordinal) || user.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0;
}
