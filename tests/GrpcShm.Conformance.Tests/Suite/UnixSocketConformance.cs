using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over a Unix socket, the control group.</summary>
public sealed class UnixSocketConformance(ServerFixture<UnixSocketMode> fixture)
    : Http2Conformance(fixture), IClassFixture<ServerFixture<UnixSocketMode>>;
