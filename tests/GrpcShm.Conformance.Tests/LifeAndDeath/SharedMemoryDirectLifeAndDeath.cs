using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Life and death over direct mode.</summary>
public sealed class SharedMemoryDirectLifeAndDeath() : LifeAndDeathTests(new SharedMemoryDirectMode());
