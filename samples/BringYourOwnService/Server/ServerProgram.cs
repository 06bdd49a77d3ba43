using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Samples.BringYourOwnService.Server;

/// <summary>The second process.</summary>
/// <remarks>
/// It says "ready" and its TCP port, or 0 if it has none, on its standard output, and ends when its standard input
/// does: that is also how it learns that the first process has died.
/// </remarks>
internal static class ServerProgram
{
    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        // What the server had before it was moved. Endpoints in code replace --urls, shared-memory ones stand beside
        // them.
        string[] arguments =
            endpoint.Kind is TransportKind.Shm or TransportKind.Tcp ? ["--urls", "http://127.0.0.1:0"] : [];
        await using var app = GreeterServer.Build(arguments, endpoint.Kind == TransportKind.Tcp ? null : endpoint);
        await app.StartAsync();
        Console.WriteLine($"ready {TcpPort(app).ToString(CultureInfo.InvariantCulture)}");
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await app.StopAsync();
        return 0;
    }

    private static int TcpPort(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses
            .Where(address => address.StartsWith("http://127.0.0.1:", StringComparison.Ordinal))
            .Select(address => new Uri(address).Port)
            .SingleOrDefault();
}
