using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Samples.BringYourOwnService.Client;

/// <summary>The second process, seen from the first, which ends it in any case.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private ServerProcess(Process process, SampleEndpoint endpoint, string apiKey)
    {
        (_process, Endpoint, ApiKey) = (process, endpoint, apiKey);
    }

    /// <summary>Where it was moved to.</summary>
    public SampleEndpoint Endpoint { get; private set; }

    /// <summary>Where it still listens as before, if it does.</summary>
    public SampleEndpoint? EndpointBefore { get; private set; }

    /// <summary>The key that it wants to see.</summary>
    public string ApiKey { get; }

    /// <summary>Starts this program once more, as the server.</summary>
    public static async Task<ServerProcess> StartAsync(SampleEndpoint endpoint, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            // Started as `dotnet BringYourOwnService.dll`.
            start.ArgumentList.Add(typeof(ServerProcess).Assembly.Location);
        }

        start.ArgumentList.Add("serve");
        start.ArgumentList.Add("--transport");
        start.ArgumentList.Add(endpoint.Kind.ToString().ToLower(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(endpoint.Address);

        // Not an argument: those can be read by every user of the machine.
        var apiKey = RandomNumberGenerator.GetHexString(32);
        start.Environment["Authentication__ApiKey"] = apiKey;
        var server = new ServerProcess(Process.Start(start)!, endpoint, apiKey);
        try
        {
            server.ReadAddresses(await server.ReadLineAsync(cancellationToken));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopTime);
        }
        catch (Exception exception) when (exception is TimeoutException or IOException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private void ReadAddresses(string line)
    {
        if (!line.StartsWith("ready ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"The server said '{line}' instead of 'ready'.");
        }

        var port = line["ready ".Length..];
        if (Endpoint.Kind == TransportKind.Tcp)
        {
            Endpoint = Endpoint with { Address = port };
        }
        else if (port != "0")
        {
            EndpointBefore = new SampleEndpoint(TransportKind.Tcp, port);
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StartTime, cancellationToken)
                ?? throw new IOException("the server ended; its last words are above.");
        }
        catch (TimeoutException)
        {
            throw new IOException($"the server was not ready within {StartTime.TotalSeconds:0} s.");
        }
    }
}
