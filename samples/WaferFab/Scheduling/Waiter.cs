namespace Samples.WaferFab.Scheduling;

/// <summary>A task that waits until the fab fulfils a condition.</summary>
internal sealed class Waiter(Func<FabSnapshot, bool> condition)
{
    private readonly TaskCompletionSource<FabSnapshot> _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<FabSnapshot> Task => _woken.Task;

    public bool TryWake(FabSnapshot snapshot) => condition(snapshot) && _woken.TrySetResult(snapshot);
}
