using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>
/// The parent's side of a server process. The server's log lines go to the standard error of this process.
/// </summary>
internal sealed class ServerProcess : IServer
{
    private readonly SampleProcess _process;

    private ServerProcess(SampleProcess process) => _process = process;

    public string Address => _process.Greeting;

    public static async Task<ServerProcess> StartAsync(
        ITransport transport, string directory, CancellationToken cancellationToken)
    {
        try
        {
            return new ServerProcess(
                await SampleProcess.StartAsync(
                    ["serve", transport.Name, transport.ChooseAddress(directory)], cancellationToken));
        }
        catch (IOException exception)
        {
            throw new ComparisonException(
                $"The server of '{transport.Name}' does not listen: {exception.Message}", exception);
        }
    }

    public async Task<ResourceUsage?> ReadUsageAsync() => await AskAsync<ResourceUsage>(ServerProgram.UsageRequest);

    public Task<long> MeasureMemoryAsync() => AskAsync<long>(ServerProgram.MemoryRequest);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<T> AskAsync<T>(string request) =>
        JsonSerializer.Deserialize<T>(await _process.AskAsync(request, CancellationToken.None))!;
}
