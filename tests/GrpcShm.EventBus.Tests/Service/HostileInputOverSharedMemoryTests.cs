using GrpcShm.EventBus.Tests.Processes;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class HostileInputOverSharedMemoryTests(SharedMemoryHub hub)
    : HostileInputTests(hub.Process), IClassFixture<SharedMemoryHub>;
