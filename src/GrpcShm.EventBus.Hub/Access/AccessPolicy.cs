using GrpcShm.EventBus.Diagnostics;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Access;

/// <summary>The policy of the hub's options: says which callers may do what.</summary>
/// <remarks>It is asked for each event, so that a change of it holds at once; no answer is kept.</remarks>
internal sealed class AccessPolicy
{
    private readonly Func<EventBusAccess, bool>? _authorize;
    private readonly string? _policy;
    private readonly ILogger _logger;
    private readonly RepeatedLines _failures = new();

    private AccessPolicy(EventBusOptions options, ILogger logger) =>
        (_authorize, _policy, _logger) = (options.Authorize, options.AuthorizationPolicy, logger);

    /// <summary>Makes the policy of the options; none if they have none.</summary>
    public static AccessPolicy? Of(EventBusOptions options, ILogger logger) =>
        options.Authorize is null && options.AuthorizationPolicy is null ? null : new AccessPolicy(options, logger);

    public async ValueTask<bool> AllowsAsync(EventBusAccess access, HttpContext context)
    {
        try
        {
            if (_authorize is not null && !_authorize(access))
            {
                return false;
            }

            if (_policy is null)
            {
                return true;
            }

            var service = context.RequestServices.GetRequiredService<IAuthorizationService>();
            var result = await service.AuthorizeAsync(access.Peer.User, access, _policy).ConfigureAwait(false);
            return result.Succeeded;
        }
        catch (Exception exception)
        {
            // A policy that fails has not allowed the action. Callers can make it fail as often as they like.
            if (_failures.Next(out var leftOut))
            {
                if (leftOut > 0)
                {
                    _logger.LinesLeftOut(nameof(HubLog.PolicyFailed), leftOut);
                }

                _logger.PolicyFailed(access.Action, access.Name, exception);
            }

            return false;
        }
    }
}
