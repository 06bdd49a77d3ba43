using Grpc.Net.Client;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>
/// No second process and no transport: the client's handler calls the server's application in the same process, by
/// ASP.NET Core's TestServer. It measures gRPC's own client and server only.
/// </summary>
internal sealed class InProcessTransport : ITransport
{
    // The single server of this process, between StartServerAsync and its disposal.
    private InProcessServer? _server;

    public string Name => "in-process";

    public string Description =>
        "gRPC within one process, through ASP.NET Core's TestServer: no HTTP/2, no second process";

    /// <summary>It has one process only.</summary>
    public bool CanRun(Scenario scenario) => !scenario.NeedsPeer;

    public string ChooseAddress(string directory) => "";

    public Task ServeAsync(string address, Action<string> listening, CancellationToken stopping) =>
        throw new ComparisonException($"The transport '{Name}' has no server process.");

    public async Task<IServer> StartServerAsync(string directory, CancellationToken cancellationToken) =>
        _server = await InProcessServer.StartAsync(cancellationToken);

    public IConnection Connect(string address)
    {
        var server = _server ?? throw new InvalidOperationException("The server has not been started.");
        return new GrpcConnection(
            GrpcChannel.ForAddress("http://localhost", ChannelOptions.Create(server.CreateHandler())));
    }
}
