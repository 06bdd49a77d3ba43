using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>The writes of a <see cref="RingStream"/>.</summary>
internal sealed class RingStreamWrite : SignaledOperation<bool>
{
    private readonly SharedMemoryConnection _connection;
    private readonly ByteSendingEnd _outbound;
    private ReadOnlyMemory<byte> _rest;

    public RingStreamWrite(SharedMemoryConnection connection)
    {
        _connection = connection;
        _outbound = connection.OutboundBytes;
        connection.AttachSend(this);
    }

    protected override bool MayRunInline => _connection.RunInline;

    protected override IRingTarget? RingTarget => null;

    public ValueTask StartAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        Enter();
        _rest = buffer;
        var write = RunAsync(cancellationToken);
        if (write.IsCompletedSuccessfully)
        {
            _ = write.Result;
            return ValueTask.CompletedTask;
        }

        return new ValueTask(write.AsTask());
    }

    /// <summary>
    /// Says that all bytes have been written. A write that waits ends when the connection does, and then bytes are
    /// missing.
    /// </summary>
    public void Close() => Seal(Finish);

    protected override bool TryComplete([MaybeNullWhen(false)] out bool result)
    {
        result = true;
        _connection.ThrowIfClosed();
        if (!_outbound.Refresh(_rest.Length))
        {
            throw _connection.CreatePeerFailure();
        }

        var written = _outbound.Write(_rest.Span);
        _outbound.Publish();
        _rest = _rest[written..];
        return _rest.IsEmpty;
    }

    protected override void AnnounceWait() => _outbound.AnnounceWait();

    private void Finish()
    {
        _outbound.Close(complete: _rest.IsEmpty);
        _rest = default;
        _connection.Detach();
    }
}
