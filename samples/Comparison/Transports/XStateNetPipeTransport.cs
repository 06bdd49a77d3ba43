using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.XStateNetPipe;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>
/// The exchange that XStateNet's processes use today, without gRPC: one JSON object in each line through a named pipe
/// to a hub. See <see cref="PipeHub"/>.
/// </summary>
internal sealed class XStateNetPipeTransport : ITransport
{
    public string Name => "xstatenet-pipe";

    public string Description =>
        "no gRPC: XStateNet's exchange re-created, a line of JSON for each message over a named pipe";

    public string ChooseAddress(string directory) => NamedPipeName.In(directory, "xstatenet");

    public async Task ServeAsync(string address, Action<string> listening, CancellationToken stopping)
    {
        await using var hub = new PipeHub(address);
        hub.AddLocalMachine(PipeService.EchoMachine, PipeService.Echo);
        hub.Start();
        listening(address);
        await hub.RunAsync(stopping);
    }

    public IConnection Connect(string address) => new PipeConnection(address);

    /// <summary>It has events, which another event may answer, and no streams.</summary>
    public bool CanRun(Scenario scenario) => !scenario.NeedsStreams;
}
