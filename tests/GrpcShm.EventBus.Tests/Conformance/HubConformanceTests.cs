using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>Each operation, of the hub's own process.</summary>
public sealed class HubConformanceTests : BusConformanceTests
{
    private protected override Task<ITestedBus> MakeBusAsync(Action<EventBusClientOptions>? configure = null)
    {
        // The settings that both have are set before anybody asks for the hub.
        var asOfAClient = new EventBusClientOptions();
        configure?.Invoke(asOfAClient);
        var options = Server.Services.GetRequiredService<IOptions<LocalMachineOptions>>().Value;
        options.MaxPendingSends = asOfAClient.MaxPendingSends;
        options.SendPipeline = asOfAClient.SendPipeline;
        return Task.FromResult<ITestedBus>(new HubBus(Server.Hub));
    }
}
