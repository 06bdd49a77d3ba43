using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;

namespace GrpcShm.Hosting.Tests.Authentication;

/// <summary>Policies of the tests.</summary>
internal static class PolicyBuilders
{
    public static AuthorizationPolicyBuilder Apply(
        this AuthorizationPolicyBuilder builder, Action<AuthorizationPolicyBuilder> policy)
    {
        policy(builder);
        return builder;
    }

    /// <summary>Keeps the user of each call.</summary>
    public static AuthorizationPolicyBuilder Note(
        this AuthorizationPolicyBuilder policy, ConcurrentQueue<ClaimsPrincipal> users) =>
        policy.RequireAssertion(context =>
        {
            users.Enqueue(context.User);
            return true;
        });
}
