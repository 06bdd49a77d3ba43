using GrpcShm.EventBus.Service;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>Reports the health of this process's hub.</summary>
internal sealed class HubHealthCheck(HubCore hub) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>
        {
            ["sessions"] = hub.Metrics.Sessions,
            ["machines"] = hub.Machines.Count,
            ["subscriptions"] = hub.Metrics.Subscriptions,
            ["events_accepted"] = hub.Metrics.EventsAccepted,
            ["events_dropped"] = hub.Metrics.EventsDropped,
        };
        return Task.FromResult(hub.Stopping.IsCancellationRequested
            ? new HealthCheckResult(context.Registration.FailureStatus, "The hub is stopping.", data: data)
            : HealthCheckResult.Healthy("The hub takes new work.", data));
    }
}
