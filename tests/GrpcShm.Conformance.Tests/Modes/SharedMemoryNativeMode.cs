using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>Calls that the client's channel frames by itself, straight into shared-memory rings.</summary>
public sealed class SharedMemoryNativeMode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "native client";

    /// <inheritdoc/>
    protected override SharedMemoryMode Pinned => SharedMemoryMode.Direct;

    /// <inheritdoc/>
    protected override bool IsNative => true;

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.SharedMemory, name);
}
