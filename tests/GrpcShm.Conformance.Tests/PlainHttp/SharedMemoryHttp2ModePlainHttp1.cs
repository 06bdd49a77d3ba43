using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The suite in HTTP/1.1 over shared memory in HTTP/2 mode.</summary>
public sealed class SharedMemoryHttp2ModePlainHttp1(PlainFixture<SharedMemoryHttp2Mode> fixture)
    : PlainHttp1Conformance(fixture), IClassFixture<PlainFixture<SharedMemoryHttp2Mode>>;
