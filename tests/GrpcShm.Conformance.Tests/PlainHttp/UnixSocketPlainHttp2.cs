using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/2 over a Unix socket, the control group.</summary>
public sealed class UnixSocketPlainHttp2(PlainFixture<UnixSocketMode> fixture)
    : PlainHttp2Conformance(fixture), IClassFixture<PlainFixture<UnixSocketMode>>;
