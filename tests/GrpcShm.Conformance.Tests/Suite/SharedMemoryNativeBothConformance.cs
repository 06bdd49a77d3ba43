using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite with neither side going through HTTP.</summary>
public sealed class SharedMemoryNativeBothConformance(ServerFixture<SharedMemoryNativeBothMode> fixture)
    : NativeServerConformance(fixture), IClassFixture<ServerFixture<SharedMemoryNativeBothMode>>;
