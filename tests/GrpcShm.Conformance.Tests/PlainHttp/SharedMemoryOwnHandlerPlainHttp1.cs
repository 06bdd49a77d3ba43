using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/1.1 over shared memory, by a handler of the user's own.</summary>
public sealed class SharedMemoryOwnHandlerPlainHttp1(PlainFixture<SharedMemoryOwnHandlerMode> fixture)
    : PlainHttp1Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryOwnHandlerMode>>;
