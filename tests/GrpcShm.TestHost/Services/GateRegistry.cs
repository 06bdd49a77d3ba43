using System.Collections.Concurrent;

namespace GrpcShm.TestHost.Services;

/// <summary>Gates that hold calls until a test opens them; an open gate stays open.</summary>
internal sealed class GateRegistry
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

    public Task WaitAsync(string gate, CancellationToken cancellationToken) =>
        Find(gate).Task.WaitAsync(cancellationToken);

    public void Open(string gate) => Find(gate).TrySetResult();

    private TaskCompletionSource Find(string gate) =>
        _gates.GetOrAdd(gate, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
