using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Tests;

/// <summary>
/// The stream of a request's body without credit: a write waits until it is cancelled, and then until the test lets it
/// end.
/// </summary>
internal sealed class HeldStream : AsyncStream
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public int Writes => Volatile.Read(ref _writes);

    public Task WriteBegun => _begun.Task;

    public Task WriteCancelled => _cancelled.Task;

    public void ReleaseWrite() => _released.TrySetResult();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _writes);
        using var cancellation = cancellationToken.Register(() => _cancelled.TrySetResult());
        _begun.TrySetResult();
        await _cancelled.Task;
        await _released.Task;
        cancellationToken.ThrowIfCancellationRequested();
    }
}
