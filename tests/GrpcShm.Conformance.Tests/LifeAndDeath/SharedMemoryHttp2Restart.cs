using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>In HTTP/2 mode.</summary>
public sealed class SharedMemoryHttp2Restart() : RestartTests(new SharedMemoryHttp2Mode());
