namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The transport that tests use keeps the promises, too.</summary>
public sealed class PipeLaneTransportTests : LaneTransportTests
{
    private protected override EventLaneTransport Transport { get; } = new PipeLanes();
}
