using System.Diagnostics.Metrics;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.EventBus.Tests.Routing;

/// <summary>The hub's metrics, for tests of parts that count and whose counts nobody reads.</summary>
internal sealed class UnreadMetrics : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public UnreadMetrics() => Metrics = new EventBusMetrics(
        _services.GetRequiredService<IMeterFactory>(),
        new MachineRegistry(1, 1),
        new HubLanes(new EventBusOptions(), new ObserverTable()),
        namesDestinations: false,
        NullLogger.Instance);

    public EventBusMetrics Metrics { get; }

    public void Dispose() => _services.Dispose();
}
