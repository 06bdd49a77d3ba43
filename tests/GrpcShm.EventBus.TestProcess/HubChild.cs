using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>A hub in a child process, over shared memory, which says how much it uses.</summary>
internal sealed class HubChild : IAsyncDisposable
{
    private readonly Process _process;

    private HubChild(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    /// <summary>Starts it, and waits until it serves.</summary>
    /// <param name="role">The role of its process: <c>hub</c> or <c>hub-without-bounds</c>.</param>
    public static async Task<HubChild> StartAsync(string role)
    {
        var address = $"shm:costs-{Environment.ProcessId}-{Guid.NewGuid():N}"[..30];
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(HubChild).Assembly.Location);
        start.ArgumentList.Add(role);
        start.ArgumentList.Add(address);
        var child = new HubChild(new Process { StartInfo = start }, address);
        child._process.Start();
        await child._process.StandardOutput.ReadLineAsync();
        return child;
    }

    /// <summary>The bytes of its objects, after a collection.</summary>
    public Task<long> MemoryAsync() => AskAsync("memory");

    /// <summary>The processor time that it has taken so far.</summary>
    public async Task<TimeSpan> ProcessorTimeAsync() => TimeSpan.FromTicks(await AskAsync("time"));

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<long> AskAsync(string what)
    {
        await _process.StandardInput.WriteLineAsync(what);
        await _process.StandardInput.FlushAsync();
        return long.Parse((await _process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
    }
}
