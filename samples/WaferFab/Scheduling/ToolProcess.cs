using System.Diagnostics;
using System.Globalization;

namespace Samples.WaferFab.Scheduling;

/// <summary>The process of a tool, seen from the first one, which ends it in any case.</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _mayEnd;

    private ToolProcess(string tool, Process process)
    {
        (Tool, _process) = (tool, process);
        _ = WatchAsync();
    }

    public string Tool { get; }

    public int Id => _process.Id;

    /// <summary>Fails when the process ends without being told.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Starts this program once more, as a tool.</summary>
    public static ToolProcess Start(string tool, string journalPath, SampleEndpoint endpoint)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            // Started as `dotnet WaferFab.dll`.
            start.ArgumentList.Add(typeof(ToolProcess).Assembly.Location);
        }

        start.ArgumentList.Add("tool");
        start.ArgumentList.Add(tool);
        start.ArgumentList.Add(journalPath);
        start.ArgumentList.Add("--transport");
        start.ArgumentList.Add(endpoint.Kind.ToString().ToLower(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(endpoint.Address);
        return new ToolProcess(tool, Process.Start(start)!);
    }

    /// <summary>Kills it as <c>kill -9</c> does: it has no chance to say or to finish anything.</summary>
    public async Task KillAsync()
    {
        Volatile.Write(ref _mayEnd, true);
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(StopTime);
    }

    /// <summary>Lets it end by itself.</summary>
    /// <returns>How many events it says it has sent.</returns>
    public async Task<long> EndAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _mayEnd, true);
        _process.StandardInput.Close();
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StopTime, cancellationToken);
        if (line is null || !line.StartsWith("sent ", StringComparison.Ordinal))
        {
            throw new IOException($"{Tool} said '{line}' at its end instead of how many events it has sent.");
        }

        return long.Parse(line["sent ".Length..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _mayEnd, true);
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

    private async Task WatchAsync()
    {
        await _process.WaitForExitAsync();
        if (!Volatile.Read(ref _mayEnd))
        {
            _failed.TrySetException(new IOException(
                $"the process of {Tool} ended by itself with exit code {_process.ExitCode}; its last words are above."));
        }
    }
}
