using System.IO.Pipelines;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// A reader that works on the ring itself: it shows the shared memory, and advancing gives the memory back to the peer.
/// For consumers that copy before they parse, since the peer can change bytes after they have been looked at.
/// </summary>
/// <remarks>
/// If a consumer examines all bytes, consumes none and wants more, it is given a private copy when half the ring is
/// full, so that the peer can go on writing. Beyond a limit reading fails.
/// </remarks>
internal sealed class RingPipeReader : PipeReader
{
    private readonly RingPipeRead _read;

    /// <summary>Creates the reader.</summary>
    /// <param name="connection">The connection whose bytes are read.</param>
    /// <param name="maxUnconsumed">How many bytes may be copied out unconsumed.</param>
    public RingPipeReader(SharedMemoryConnection connection, long maxUnconsumed) =>
        _read = new RingPipeRead(connection, maxUnconsumed);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _read.StartAsync(cancellationToken);

    public override bool TryRead(out ReadResult result) => _read.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => _read.AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        _read.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _read.CancelPending();

    /// <summary>Completes the reader in the place of a user who has not done so.</summary>
    public void Abandon() => _read.Abandon();

    public override void Complete(Exception? exception = null) => _read.Close();
}
