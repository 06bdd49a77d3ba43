using System.IO.Pipelines;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// A writer that works on the ring itself: it gives memory of the ring if there is room, so that bytes are written
/// once. Bytes for which there is no room, since the ring is full or ends, go into pooled memory, and from there into
/// the ring when the peer has read; <see cref="FlushAsync"/> waits for that. While it waits, nothing else may be
/// written (a <see cref="Pipe"/> would allow it; Kestrel does not do it).
/// </summary>
internal sealed class RingPipeWriter : PipeWriter
{
    private readonly RingPipeFlush _flush;

    public RingPipeWriter(SharedMemoryConnection connection) => _flush = new RingPipeFlush(connection);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _flush.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _flush.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _flush.GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _flush.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _flush.StartAsync(cancellationToken);

    public override void CancelPendingFlush() => _flush.CancelPending();

    /// <summary>Completes the writer in the place of a user who has not done so.</summary>
    public void Abandon() => _flush.Abandon();

    public override void Complete(Exception? exception = null) => _flush.Close(exception);
}
