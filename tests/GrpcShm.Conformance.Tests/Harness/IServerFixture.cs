using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>The members that a suite needs of its fixture, in each mode.</summary>
public interface IServerFixture
{
    /// <summary>The mode that carries the calls.</summary>
    TransportMode Mode { get; }

    /// <summary>The server process of the class.</summary>
    ServerHandle Server { get; }

    /// <summary>A channel to it that most tests share, as the calls of an application do.</summary>
    TestChannel Channel { get; }

    /// <summary>Starts another server, for a test that needs other settings. The test disposes of it.</summary>
    Task<ServerHandle> StartServerAsync(params string[] arguments);
}
