using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>
/// One way to carry gRPC between two processes. All that is special to a transport is here, so the suites are the same
/// for each transport.
/// </summary>
public abstract class TransportMode
{
    /// <summary>The mode's name, for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Makes the address of an endpoint whose files live in a directory.</summary>
    public abstract EndpointAddress CreateAddress(TempDirectory directory, string name);

    /// <summary>The arguments of a server of this mode, besides its endpoints.</summary>
    public virtual IEnumerable<string> GetServerArguments(TempDirectory directory) =>
        ["--runtime-directory", directory.Path];

    /// <summary>The arguments of a client process of this mode, besides its address.</summary>
    public virtual IEnumerable<string> GetClientArguments(TempDirectory directory) =>
        ["--runtime-directory", directory.Path, "--mode", Pinned.ToString()];

    /// <summary>
    /// True if a write that is under way ends with its call, and harms no other call. <see cref="SocketsHttpHandler"/>
    /// by itself guarantees neither.
    /// </summary>
    public virtual bool EndsWritesWithTheirCalls => true;

    /// <summary>The mode of shared memory, so that no test runs over another mode by mistake.</summary>
    protected virtual SharedMemoryMode Pinned => SharedMemoryMode.Auto;

    /// <summary>True if the client's channel frames its calls by itself.</summary>
    protected virtual bool IsNative => false;

    /// <summary>Makes a channel.</summary>
    public TestChannel CreateChannel(EndpointAddress address, TempDirectory directory, ClientSetup? setup = null) =>
        ChannelFactory.CreateChannel(address, Complete(setup ?? new ClientSetup(), directory));

    /// <summary>Makes a client for plain HTTP.</summary>
    public HttpClient CreateHttpClient(EndpointAddress address, TempDirectory directory) =>
        ChannelFactory.CreateHttpClient(address, Complete(new ClientSetup(), directory));

    /// <summary>Makes a handler for plain HTTP.</summary>
    public virtual HttpMessageHandler CreateHttpHandler(EndpointAddress address, TempDirectory directory) =>
        ChannelFactory.CreateHttpHandler(address, Complete(new ClientSetup(), directory));

    /// <summary>Makes a connection for bytes of the test's own.</summary>
    public Task<Stream> ConnectAsync(EndpointAddress address, TempDirectory directory) =>
        ChannelFactory.ConnectAsync(address, Complete(new ClientSetup(), directory));

    private protected ClientSetup Complete(ClientSetup setup, TempDirectory directory) =>
        setup with { RuntimeDirectory = directory.Path, Mode = Pinned, IsNative = IsNative };
}
