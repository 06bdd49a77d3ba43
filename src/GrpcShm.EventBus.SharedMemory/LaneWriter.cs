using System.IO.Pipelines;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.EventBus;

/// <summary>The writer of a lane, whose code goes on where a reactor's work runs.</summary>
internal sealed class LaneWriter(RingPipeWriter writer, RunProfile profile) : PipeWriter
{
    private readonly ReactorHop<FlushResult> _hop = new(profile);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _hop.Await(writer.FlushAsync(cancellationToken));

    public override Memory<byte> GetMemory(int sizeHint = 0) => writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => writer.GetSpan(sizeHint);

    public override void Advance(int bytes) => writer.Advance(bytes);

    public override void CancelPendingFlush() => writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => writer.Complete(exception);
}
