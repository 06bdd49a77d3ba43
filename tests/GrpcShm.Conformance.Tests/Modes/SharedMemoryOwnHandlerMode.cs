using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>HTTP through shared-memory rings, by a <see cref="SocketsHttpHandler"/> of the user's own.</summary>
public sealed class SharedMemoryOwnHandlerMode : TransportMode
{
    /// <inheritdoc/>
    public override string Name => "a handler of the user's own over shared memory";

    /// <inheritdoc/>
    public override EndpointAddress CreateAddress(TempDirectory directory, string name) =>
        new(EndpointKind.SharedMemory, name);

    /// <inheritdoc/>
    public override HttpMessageHandler CreateHttpHandler(EndpointAddress address, TempDirectory directory) =>
        ChannelFactory.CreateHandler(address, Complete(new ClientSetup(), directory));
}
