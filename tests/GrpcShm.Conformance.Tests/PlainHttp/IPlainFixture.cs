using GrpcShm.Conformance.Tests.Harness;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>The members that the suite needs of its fixture, over each transport.</summary>
public interface IPlainFixture
{
    /// <summary>The server process of the class.</summary>
    ServerHandle Server { get; }

    /// <summary>The handler that all tests of the class share.</summary>
    HttpMessageHandler GetHandler(Version version);

    /// <summary>Makes a connection to the endpoint that speaks HTTP/1.1.</summary>
    Task<Stream> ConnectAsync();
}
