using System.IO.Pipelines;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.EventBus;

/// <summary>The reader of a lane, whose code goes on where a reactor's work runs.</summary>
internal sealed class LaneReader(RingPipeReader reader, RunProfile profile) : PipeReader
{
    private readonly ReactorHop<ReadResult> _hop = new(profile);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _hop.Await(reader.ReadAsync(cancellationToken));

    public override bool TryRead(out ReadResult result) => reader.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => reader.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        reader.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => reader.CancelPendingRead();

    public override void Complete(Exception? exception = null) => reader.Complete(exception);
}
