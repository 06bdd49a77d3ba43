using System.Diagnostics;

namespace Samples;

/// <summary>A second process of the same program with another role. It ends with the first process.</summary>
/// <remarks>
/// It writes "ready" and other data for the first process to its standard output. It ends when its standard input ends,
/// which also happens when the first process dies.
/// </remarks>
internal sealed class SampleProcess : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _mayEnd;

    private SampleProcess(Process process)
    {
        _process = process;
        _ = WatchAsync();
    }

    /// <summary>
    /// The limit for the start of a process, and for its first connection. As all limits here, it is much longer than
    /// this takes, since other processes may leave little processor time to a starting one.
    /// </summary>
    public static TimeSpan StartTime { get; } = TimeSpan.FromMinutes(3);

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>The text after the word "ready".</summary>
    public string Greeting { get; private set; } = "";

    /// <summary>True if it has ended, for whatever reason.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Fails when the process ends although nobody asked it to end, or waits for its end.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Starts this program with other arguments, and does not wait for it.</summary>
    /// <param name="arguments">The arguments that choose its role. Every user of the machine can read them.</param>
    /// <param name="environment">Environment variables, for secrets.</param>
    public static SampleProcess Start(string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
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

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new SampleProcess(Process.Start(start)!);
    }

    /// <summary>Starts this program with other arguments and waits until it is ready.</summary>
    public static Task<SampleProcess> StartAsync(string[] arguments, CancellationToken cancellationToken) =>
        WaitUntilReadyAsync(Start(arguments), cancellationToken);

    /// <summary>The same as the other overload, with environment variables.</summary>
    public static Task<SampleProcess> StartAsync(
        string[] arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken) =>
        WaitUntilReadyAsync(Start(arguments, environment), cancellationToken);

    /// <summary>Writes a line to it and reads its answer.</summary>
    public async Task<string> AskAsync(string line, CancellationToken cancellationToken)
    {
        await TellAsync(line, cancellationToken);
        return await ReadLineAsync(AnswerTime, cancellationToken);
    }

    /// <summary>Writes a line to it.</summary>
    public async Task TellAsync(string line, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Kills it as <c>kill -9</c> does: it cannot write or finish anything.</summary>
    public async Task KillAsync()
    {
        Volatile.Write(ref _mayEnd, true);
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopTime);
    }

    /// <summary>Asks it to end, and waits for its end.</summary>
    /// <returns>The last line of its output.</returns>
    public async Task<string> EndAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _mayEnd, true);
        _process.StandardInput.Close();
        return await ReadLineAsync(StopTime, cancellationToken);
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="TimeoutException">It has not ended in time.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _mayEnd, true);
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(timeout, cancellationToken);
        return _process.ExitCode;
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
            await KillAsync();
        }

        _process.Dispose();
    }

    private static async Task<SampleProcess> WaitUntilReadyAsync(
        SampleProcess process, CancellationToken cancellationToken)
    {
        try
        {
            var line = await process.ReadLineAsync(StartTime, cancellationToken);
            process.Greeting = line == "ready" || line.StartsWith("ready ", StringComparison.Ordinal)
                ? line["ready".Length..].Trim()
                : throw new IOException($"the process {process.Id} said '{line}' instead of 'ready'.");
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private async Task<string> ReadLineAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            var line = _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask();
            return await line.WaitAsync(timeout, cancellationToken)
                ?? throw new IOException($"the process {Id} ended; its error output is above.");
        }
        catch (TimeoutException)
        {
            throw new IOException($"the process {Id} did not answer within {timeout.TotalSeconds:0} s.");
        }
    }

    private async Task WatchAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        if (!Volatile.Read(ref _mayEnd))
        {
            _failed.TrySetException(new IOException(
                $"the process {Id} ended by itself with exit code {_process.ExitCode}; its last words are above."));

            // A caller that does not observe this task notices the end in another way.
            _ = _failed.Task.Exception;
        }
    }
}
