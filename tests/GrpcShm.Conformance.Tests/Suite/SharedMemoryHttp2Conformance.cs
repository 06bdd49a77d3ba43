using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over HTTP/2 through shared memory.</summary>
public sealed class SharedMemoryHttp2Conformance(ServerFixture<SharedMemoryHttp2Mode> fixture)
    : Http2Conformance(fixture), IClassFixture<ServerFixture<SharedMemoryHttp2Mode>>;
