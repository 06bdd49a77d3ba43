using System.Text.Json;

namespace Samples.PingPong;

/// <summary>The second process, as the first process sees it. The first process ends it in any case.</summary>
internal sealed class PongProcess : IAsyncDisposable
{
    private readonly SampleProcess _process;

    private PongProcess(SampleProcess process, SampleEndpoint endpoint) => (_process, Endpoint) = (process, endpoint);

    /// <summary>The endpoint on which it listens.</summary>
    public SampleEndpoint Endpoint { get; }

    /// <summary>Starts this program once more, as the server.</summary>
    public static async Task<PongProcess> StartAsync(SampleEndpoint endpoint, CancellationToken cancellationToken)
    {
        var kind = endpoint.Kind.ToString().ToLower(System.Globalization.CultureInfo.InvariantCulture);
        var process = await SampleProcess.StartAsync(
            ["serve", "--transport", kind, endpoint.Address], cancellationToken);
        return new PongProcess(process, endpoint with { Address = process.Greeting });
    }

    /// <summary>Asks for the resources that it has used so far.</summary>
    public async Task<ProcessUsage> MeasureAsync(CancellationToken cancellationToken) =>
        JsonSerializer.Deserialize(
            await _process.AskAsync("usage", cancellationToken), RunReportContext.Default.ProcessUsage)!;

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
