using System.Globalization;
using System.Security.Cryptography;

namespace Samples.BringYourOwnService.Client;

/// <summary>The second process, seen from the first, which ends it in any case.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly SampleProcess _process;

    private ServerProcess(SampleProcess process, SampleEndpoint endpoint, string apiKey)
    {
        (_process, Endpoint, ApiKey) = (process, endpoint, apiKey);

        // Its TCP port: where it was moved to, or where it still listens as before, if it does.
        var port = process.Greeting;
        if (endpoint.Kind == TransportKind.Tcp)
        {
            Endpoint = endpoint with { Address = port };
        }
        else if (port != "0")
        {
            EndpointBefore = new SampleEndpoint(TransportKind.Tcp, port);
        }
    }

    /// <summary>Where it was moved to.</summary>
    public SampleEndpoint Endpoint { get; }

    /// <summary>Where it still listens as before, if it does.</summary>
    public SampleEndpoint? EndpointBefore { get; }

    /// <summary>The key that it wants to see.</summary>
    public string ApiKey { get; }

    /// <summary>Starts this program once more, as the server.</summary>
    public static async Task<ServerProcess> StartAsync(SampleEndpoint endpoint, CancellationToken cancellationToken)
    {
        var kind = endpoint.Kind.ToString().ToLower(CultureInfo.InvariantCulture);

        // Not an argument: those can be read by every user of the machine.
        var apiKey = RandomNumberGenerator.GetHexString(32);
        var process = await SampleProcess.StartAsync(
            ["serve", "--transport", kind, endpoint.Address],
            new Dictionary<string, string> { ["Authentication__ApiKey"] = apiKey },
            cancellationToken);
        return new ServerProcess(process, endpoint, apiKey);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
