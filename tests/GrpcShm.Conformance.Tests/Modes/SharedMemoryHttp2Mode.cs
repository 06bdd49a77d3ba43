using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>HTTP/2 through shared-memory rings.</summary>
public sealed class SharedMemoryHttp2Mode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "HTTP/2 over shared memory";

    /// <inheritdoc/>
    protected override SharedMemoryMode Pinned => SharedMemoryMode.Http2;

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.SharedMemory, name);
}
