using Grpc.Net.Client;
using GrpcShm.Conformance.Tests.Modes;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>What a suite needs of its fixture, whatever the mode.</summary>
public interface IServerFixture
{
    /// <summary>What carries the calls.</summary>
    TransportMode Mode { get; }

    /// <summary>The server process of the class.</summary>
    ServerHandle Server { get; }

    /// <summary>A channel to it that most tests share, as the calls of an application do.</summary>
    GrpcChannel Channel { get; }

    /// <summary>Starts another server, for a test that needs one set up differently; the test disposes of it.</summary>
    Task<ServerHandle> StartServerAsync(params string[] arguments);
}
