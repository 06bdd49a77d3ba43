using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Samples.BringYourOwnService.Server;

/// <summary>
/// Decides by the identity of the peer, which shared memory knows without a key or a certificate. Callers that have
/// come by another transport have none, and do not meet the requirement.
/// </summary>
/// <remarks>
/// Without settings the transport lets in the same user alone, so this is for servers whose <c>AuthorizePeer</c> lets
/// in more: everybody may call, and some methods stay for one user.
/// </remarks>
internal sealed class SameUserHandler : AuthorizationHandler<SameUserRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, SameUserRequirement requirement)
    {
        if (context.Resource is HttpContext http
            && http.Features.Get<ISharedMemoryConnectionFeature>() is { } connection
            && connection.Peer.User.IsSameUser)
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }
}
