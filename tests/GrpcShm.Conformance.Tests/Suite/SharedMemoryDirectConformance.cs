using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over direct mode.</summary>
public sealed class SharedMemoryDirectConformance(ServerFixture<SharedMemoryDirectMode> fixture)
    : TransportConformance(fixture), IClassFixture<ServerFixture<SharedMemoryDirectMode>>;
