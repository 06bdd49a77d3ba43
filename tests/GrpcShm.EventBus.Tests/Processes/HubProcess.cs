using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// A hub in a process of its own, at an address that nobody else uses; it can be killed and started again.
/// </summary>
internal sealed class HubProcess : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private ChildProcess _process = null!;

    private HubProcess(string way) =>
        Address =
            way is "shm" or "lane"
                ? $"shm:eventbus-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]
                : _directory.Socket;

    public string Address { get; }

    public static async Task<HubProcess> StartAsync(string way, int? maxEventSize = null)
    {
        var hub = new HubProcess(way);
        string[] size = maxEventSize is null ? [] : [$"{maxEventSize}"];
        hub._process = await ChildProcess.StartAsync(["hub", hub.Address, .. size]);
        return hub;
    }

    /// <summary>Kills it as <c>kill -9</c> does, and starts its successor.</summary>
    public async Task RestartAsync()
    {
        await _process.KillAsync();
        if (!HubChannel.IsSharedMemory(Address))
        {
            File.Delete(Address);
        }

        _process = await ChildProcess.StartAsync("hub", Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _directory.Dispose();
    }
}
