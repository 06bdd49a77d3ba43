using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/2 over shared memory, beside the calls of direct mode.</summary>
public sealed class SharedMemoryDirectModePlainHttp2(PlainFixture<SharedMemoryDirectMode> fixture)
    : PlainHttp2Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryDirectMode>>;
