using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Life and death over HTTP/2 through shared memory.</summary>
public sealed class SharedMemoryHttp2LifeAndDeath() : LifeAndDeathTests(new SharedMemoryHttp2Mode());
