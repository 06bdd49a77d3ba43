namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>A hub in a process of its own, for all tests of a class.</summary>
public sealed class SharedMemoryHub : IAsyncLifetime
{
    internal HubProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await HubProcess.StartAsync("shm");

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
