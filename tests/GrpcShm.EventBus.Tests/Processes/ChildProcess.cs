using System.Diagnostics;
using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Another process of a test, ended with it, by its id.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    /// <summary>Starts the test process in a role and waits until it is ready.</summary>
    public static Task<ChildProcess> StartAsync(params string[] arguments) =>
        StartWithinAsync(TimeLimit.Value, arguments);

    /// <summary>The same for a role that has much to do before it is ready.</summary>
    public static async Task<ChildProcess> StartWithinAsync(TimeSpan time, params string[] arguments)
    {
        var child = Start(arguments);
        try
        {
            Assert.Equal("ready", await child.ReadLineAsync(time));
            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    public int Id => _process.Id;

    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync().InTime();

    public async Task<string?> ReadLineAsync(TimeSpan time) =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(time);

    public Task WriteLineAsync(string line) => _process.StandardInput.WriteLineAsync(line).InTime();

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().InTime();
    }

    /// <summary>Lets it end by itself.</summary>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().InTime();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static ChildProcess Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add(typeof(HubServer).Assembly.Location);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new ChildProcess(Process.Start(start)!);
    }
}
