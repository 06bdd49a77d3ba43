using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>
/// One way for the client to reach the server. A new one is added to <see cref="TransportRegistry"/>; one that carries
/// gRPC is an <see cref="IGrpcTransport"/>.
/// </summary>
internal interface ITransport
{
    string Name { get; }

    string Description { get; }

    /// <summary>What the server is told to listen on; files go into <paramref name="directory"/>.</summary>
    string ChooseAddress(string directory);

    /// <summary>Server process: listens, says what a client connects to, and serves until it is told to stop.</summary>
    Task ServeAsync(string address, Action<string> listening, CancellationToken stopping);

    /// <summary>Client process: a connection of its own.</summary>
    IConnection Connect(string address);

    /// <summary>
    /// Client process: starts the server, in a process of its own unless the transport is about having none.
    /// </summary>
    async Task<IServer> StartServerAsync(string directory, CancellationToken cancellationToken) =>
        await ServerProcess.StartAsync(this, directory, cancellationToken);

    /// <summary>Whether it has what the scenario needs.</summary>
    bool CanRun(Scenario scenario) => true;
}
