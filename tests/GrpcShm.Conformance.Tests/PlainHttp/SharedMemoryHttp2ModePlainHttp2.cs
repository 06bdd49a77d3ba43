using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/2 over shared memory in HTTP/2 mode.</summary>
public sealed class SharedMemoryHttp2ModePlainHttp2(PlainFixture<SharedMemoryHttp2Mode> fixture)
    : PlainHttp2Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryHttp2Mode>>;
