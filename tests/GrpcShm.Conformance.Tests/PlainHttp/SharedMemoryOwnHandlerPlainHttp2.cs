using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/2 over shared memory, by a handler of the user's own.</summary>
public sealed class SharedMemoryOwnHandlerPlainHttp2(PlainFixture<SharedMemoryOwnHandlerMode> fixture)
    : PlainHttp2Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryOwnHandlerMode>>;
