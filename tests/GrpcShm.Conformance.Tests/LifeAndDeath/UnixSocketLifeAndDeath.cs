using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Life and death over a Unix socket, the control group.</summary>
public sealed class UnixSocketLifeAndDeath() : LifeAndDeathTests(new UnixSocketMode());
