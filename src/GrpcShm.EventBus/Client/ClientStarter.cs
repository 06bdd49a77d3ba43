using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Begins to connect a host's client when the host starts. The host's start does not wait for the hub. When the host
/// stops, other services may still send: the client disconnects when the services are disposed of.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by the services.")]
internal sealed class ClientStarter(EventClient client) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        client.BeginByItself();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
