using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>Reports the state of a client's connection to its hub.</summary>
internal sealed class ClientHealthCheck(EventClient client) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = client.State;
        var data = new Dictionary<string, object> { ["pending_sends"] = client.PendingSends };
        var status = state switch
        {
            EventBusConnectionState.Connected => HealthStatus.Healthy,
            EventBusConnectionState.Disconnected => context.Registration.FailureStatus,
            _ => HealthStatus.Degraded,
        };
        var why = state != EventBusConnectionState.Connected && client.WhyNotConnected is { } reason
            ? $" The last attempt to connect failed: {reason}"
            : "";
        return Task.FromResult(new HealthCheckResult(status, $"The event bus client is {state}.{why}", data: data));
    }
}
