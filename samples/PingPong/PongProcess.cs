using System.Diagnostics;
using System.Text.Json;

namespace Samples.PingPong;

/// <summary>The second process, seen from the first, which ends it in any case.</summary>
internal sealed class PongProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private PongProcess(Process process, SampleEndpoint endpoint)
    {
        _process = process;
        Endpoint = endpoint;
    }

    /// <summary>Where it listens.</summary>
    public SampleEndpoint Endpoint { get; private set; }

    /// <summary>Starts this program once more, as the server.</summary>
    public static async Task<PongProcess> StartAsync(SampleEndpoint endpoint, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            // Started as `dotnet PingPong.dll`.
            start.ArgumentList.Add(typeof(PongProcess).Assembly.Location);
        }

        start.ArgumentList.Add("serve");
        start.ArgumentList.Add("--transport");
        start.ArgumentList.Add(endpoint.Kind.ToString().ToLower(System.Globalization.CultureInfo.InvariantCulture));
        start.ArgumentList.Add(endpoint.Address);
        var pong = new PongProcess(Process.Start(start)!, endpoint);
        try
        {
            var line = await pong.ReadLineAsync(StartTime, cancellationToken);
            if (!line.StartsWith("ready ", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"The second process said '{line}' instead of 'ready'.");
            }

            pong.Endpoint = endpoint with { Address = line["ready ".Length..] };
            return pong;
        }
        catch
        {
            await pong.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it what it has used so far.</summary>
    public async Task<ProcessUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("usage");
        await _process.StandardInput.FlushAsync(cancellationToken);
        var line = await ReadLineAsync(StopTime, cancellationToken);
        return JsonSerializer.Deserialize(line, RunReportContext.Default.ProcessUsage)!;
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

    private async Task<string> ReadLineAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(timeout, cancellationToken)
                ?? throw new IOException("the second process ended; its last words are above.");
        }
        catch (TimeoutException)
        {
            throw new IOException($"the second process did not answer within {timeout.TotalSeconds:0} s.");
        }
    }
}
