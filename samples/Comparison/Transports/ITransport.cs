using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>
/// One way for the client to reach the server. Add a new transport to <see cref="TransportRegistry"/>; a transport that
/// carries gRPC is an <see cref="IGrpcTransport"/>.
/// </summary>
internal interface ITransport
{
    string Name { get; }

    string Description { get; }

    /// <summary>Chooses the address on which the server listens; files go into <paramref name="directory"/>.</summary>
    string ChooseAddress(string directory);

    /// <summary>
    /// Server process: listens, reports the address for clients, and serves until it is asked to stop.
    /// </summary>
    Task ServeAsync(string address, Action<string> listening, CancellationToken stopping);

    /// <summary>Client process: makes a connection.</summary>
    IConnection Connect(string address);

    /// <summary>
    /// Client process: starts the server in a process of its own, except for the transport without a second process.
    /// </summary>
    async Task<IServer> StartServerAsync(string directory, CancellationToken cancellationToken) =>
        await ServerProcess.StartAsync(this, directory, cancellationToken);

    /// <summary>True if the transport supports the scenario.</summary>
    bool CanRun(Scenario scenario) => true;
}
