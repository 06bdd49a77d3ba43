using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Samples.BringYourOwnService.Server;

/// <summary>The second process.</summary>
/// <remarks>
/// It writes "ready" and its TCP port, or 0 if it has none, to its standard output. It ends when its standard input
/// ends, which also happens when the first process dies.
/// </remarks>
internal static class ServerProgram
{
    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        // The endpoint that the server had before. Endpoints in code replace --urls; endpoints of shared memory do not.
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
