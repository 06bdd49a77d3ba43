using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>Calls framed straight into shared-memory rings.</summary>
public sealed class SharedMemoryDirectMode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "direct mode";

    /// <inheritdoc/>
    protected override SharedMemoryMode Pinned => SharedMemoryMode.Direct;

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.SharedMemory, name);
}
