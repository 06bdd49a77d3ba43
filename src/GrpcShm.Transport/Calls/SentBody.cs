using System.IO.Pipelines;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data that a call is to send. It is gathered in private memory, so that a serializer that throws or blocks
/// never holds a piece of the ring, and goes with the next flush, or with the end, in one frame if it fits.
/// </summary>
internal sealed class SentBody : PipeWriter
{
    // To copy less than this costs less than to wait until the caller's own memory has been sent.
    private const int LeastBorrowed = 16 * 1024;

    private readonly CallStream _call;
    private readonly SpillBuffer _written = new();

    public SentBody(CallStream call) => _call = call;

    /// <summary>What has been written since the last flush. Only for the writer's thread.</summary>
    public SpillBuffer Written => _written;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.Length;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        _call.ThrowIfOutputCompleted();
        return _written.GetMemory(Math.Max(sizeHint, 1));
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _written.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _call.FlushAsync(default, cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        _call.ThrowIfOutputCompleted();
        if (source.Length >= LeastBorrowed)
        {
            return _call.FlushAsync(source, cancellationToken);
        }

        source.CopyTo(_written.GetMemory(source.Length));
        _written.Advance(source.Length);
        return _call.FlushAsync(default, cancellationToken);
    }

    public override void CancelPendingFlush() => _call.CancelFlush();

    /// <summary>Says that this was all. With an exception the rest is dropped and the call is reset.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (exception is null)
        {
            _call.EndOutput();
        }
        else
        {
            _call.Reset(CallError.Internal);
            _call.EndOutput();
        }
    }
}
