using GrpcShm.EventBus.Tests.Processes;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class HostileInputOverUnixSocketTests(UnixSocketHub hub)
    : HostileInputTests(hub.Process), IClassFixture<UnixSocketHub>;
