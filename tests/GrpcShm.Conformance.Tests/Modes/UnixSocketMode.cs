using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>
/// HTTP/2 over a Unix socket: the control group. It shows that a test expects the real behaviour of gRPC.
/// </summary>
public sealed class UnixSocketMode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "HTTP/2 over a Unix socket";

    /// <inheritdoc/>
    public override bool EndsWritesWithTheirCalls => false;

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.UnixSocket, Path.Combine(directory.Path, name + ".uds"));
}
