using GrpcShm.Samples.Comparison.Measuring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>A server in the client's own process. Its resources count as the client's.</summary>
internal sealed class InProcessServer : IServer
{
    private readonly WebApplication _application;

    private InProcessServer(WebApplication application) => _application = application;

    public string Address => "";

    public static async Task<InProcessServer> StartAsync(CancellationToken cancellationToken)
    {
        var builder = GrpcServer.CreateBuilder();
        builder.WebHost.UseTestServer();
        var server = new InProcessServer(GrpcServer.Build(builder));
        await server._application.StartAsync(cancellationToken);
        return server;
    }

    public HttpMessageHandler CreateHandler() => _application.GetTestServer().CreateHandler();

    public Task<ResourceUsage?> ReadUsageAsync() => Task.FromResult<ResourceUsage?>(null);

    public Task<long> MeasureMemoryAsync() => Task.FromResult(0L);

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
