namespace GrpcShm.EventBus.Tests.Lanes;

public sealed class SharedMemoryLaneTransportTests : LaneTransportTests
{
    private protected override EventLaneTransport Transport { get; } = new SharedMemoryLanes();
}
