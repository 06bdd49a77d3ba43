using System.Diagnostics;

namespace Samples;

/// <summary>This program once more, in a process of its own that takes another part. It ends with the first process.</summary>
/// <remarks>
/// It says "ready" and what else the first process must know on its standard output, and ends when its standard input does:
/// that is also how it learns that the first process has died.
/// </remarks>
internal sealed class SampleProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private SampleProcess(Process process) => _process = process;

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>What followed the word "ready".</summary>
    public string Greeting { get; private set; } = "";

    /// <summary>Whether it has ended, however that came about.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts this program with other arguments and waits until it is ready.</summary>
    public static Task<SampleProcess> StartAsync(string[] arguments, CancellationToken cancellationToken) =>
        StartAsync(arguments, StartTime, cancellationToken);

    /// <summary>As the other overload, with another bound on the wait.</summary>
    public static async Task<SampleProcess> StartAsync(string[] arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            // Started as `dotnet Sample.dll`.
            start.ArgumentList.Add(typeof(SampleProcess).Assembly.Location);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = new SampleProcess(Process.Start(start)!);
        try
        {
            var line = await process.ReadLineAsync(timeout, cancellationToken);
            process.Greeting = line == "ready" || line.StartsWith("ready ", StringComparison.Ordinal)
                ? line["ready".Length..].Trim()
                : throw new InvalidOperationException($"The process {process.Id} said '{line}' instead of 'ready'.");
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a line to it and reads its answer.</summary>
    public async Task<string> AskAsync(string line, CancellationToken cancellationToken)
    {
        await TellAsync(line, cancellationToken);
        return await ReadLineAsync(StopTime, cancellationToken);
    }

    /// <summary>Writes a line to it.</summary>
    public async Task TellAsync(string line, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Kills it as <c>kill -9</c> does: it has no chance to say or to finish anything.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopTime);
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="TimeoutException">It has not.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(timeout, cancellationToken);
        return _process.ExitCode;
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
                ?? throw new IOException($"the process {Id} ended; its last words are above.");
        }
        catch (TimeoutException)
        {
            throw new IOException($"the process {Id} did not answer within {timeout.TotalSeconds:0} s.");
        }
    }
}
