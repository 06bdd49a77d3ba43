using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>Calls of grpc-dotnet in direct mode that the server dispatches natively, since it is asked to.</summary>
public class SharedMemoryNativeServerMode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "native server";

    /// <inheritdoc/>
    protected override SharedMemoryMode Pinned => SharedMemoryMode.Direct;

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.SharedMemory, name);

    /// <summary>How native dispatch comes about.</summary>
    protected virtual string Dispatch => "Asked";

    /// <inheritdoc/>
    public override IEnumerable<string> GetServerArguments(TempDirectory directory) =>
        [.. base.GetServerArguments(directory), "--native-dispatch", Dispatch];
}
