namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>Each operation, of a client.</summary>
public sealed class ClientConformanceTests : BusConformanceTests
{
    private protected override async Task<ITestedBus> MakeBusAsync(Action<EventBusClientOptions>? configure = null) =>
        new ClientBus(await ConnectClientAsync(configure));
}
