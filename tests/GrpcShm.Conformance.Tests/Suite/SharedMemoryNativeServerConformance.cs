using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over direct mode to a server that dispatches natively.</summary>
public sealed class SharedMemoryNativeServerConformance(ServerFixture<SharedMemoryNativeServerMode> fixture)
    : NativeServerConformance(fixture), IClassFixture<ServerFixture<SharedMemoryNativeServerMode>>;
