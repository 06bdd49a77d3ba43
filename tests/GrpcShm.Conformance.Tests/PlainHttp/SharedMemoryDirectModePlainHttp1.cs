using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/1.1 over shared memory, beside the calls of direct mode.</summary>
public sealed class SharedMemoryDirectModePlainHttp1(PlainFixture<SharedMemoryDirectMode> fixture)
    : PlainHttp1Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryDirectMode>>;
