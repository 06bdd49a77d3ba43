using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/1.1 over a Unix socket, the control group.</summary>
public sealed class UnixSocketPlainHttp1(PlainFixture<UnixSocketMode> fixture)
    : PlainHttp1Conformance(fixture), IClassFixture<PlainFixture<UnixSocketMode>>;
