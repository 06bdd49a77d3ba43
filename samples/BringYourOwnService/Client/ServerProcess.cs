using System.Globalization;
using System.Security.Cryptography;

namespace Samples.BringYourOwnService.Client;

/// <summary>The second process, as the first process sees it. The first process ends it in any case.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly SampleProcess _process;

    private ServerProcess(SampleProcess process, SampleEndpoint endpoint, string apiKey)
    {
        (_process, Endpoint, ApiKey) = (process, endpoint, apiKey);

        // Its TCP port: the new endpoint, or the old endpoint if the server still listens there.
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

    /// <summary>The new endpoint of the server.</summary>
    public SampleEndpoint Endpoint { get; }

    /// <summary>The old endpoint, if the server still listens there.</summary>
    public SampleEndpoint? EndpointBefore { get; }

    /// <summary>The key that callers must send.</summary>
    public string ApiKey { get; }

    /// <summary>Starts this program once more, as the server.</summary>
    public static async Task<ServerProcess> StartAsync(SampleEndpoint endpoint, CancellationToken cancellationToken)
    {
        var kind = endpoint.Kind.ToString().ToLower(CultureInfo.InvariantCulture);

        // The key is no argument, since every user of the machine can read arguments.
        var apiKey = RandomNumberGenerator.GetHexString(32);
        var process = await SampleProcess.StartAsync(
            ["serve", "--transport", kind, endpoint.Address],
            new Dictionary<string, string> { ["Authentication__ApiKey"] = apiKey },
            cancellationToken);
        return new ServerProcess(process, endpoint, apiKey);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
