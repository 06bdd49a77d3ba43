using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Samples.BringYourOwnService.Server;

/// <summary>
/// Decides by the identity of the peer, which shared memory knows without a key or a certificate. Callers over another
/// transport have no such identity, and do not meet the requirement.
/// </summary>
/// <remarks>
/// By default the transport admits only the server's own user. So this handler is for servers whose
/// <c>AuthorizePeer</c> admits more users: all of them may call, but some methods are for one user only.
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
