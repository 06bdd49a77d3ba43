using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>In direct mode.</summary>
public sealed class SharedMemoryDirectRestart() : RestartTests(new SharedMemoryDirectMode());
