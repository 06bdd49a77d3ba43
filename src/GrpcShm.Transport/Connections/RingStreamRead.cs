using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>The reads of a <see cref="RingStream"/>.</summary>
internal sealed class RingStreamRead : SignaledOperation<int>
{
    private readonly SharedMemoryConnection _connection;
    private readonly ReceivingEnd _inbound;
    private Memory<byte> _buffer;

    public RingStreamRead(SharedMemoryConnection connection)
    {
        _connection = connection;
        _inbound = connection.Inbound;
        connection.AttachReceive(this);
    }

    protected override bool MayRunInline => _connection.RunInline;

    protected override IRingTarget? RingTarget => _connection;

    public ValueTask<int> StartAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Enter();
        _buffer = buffer;
        return RunAsync(cancellationToken);
    }

    /// <summary>Says that nothing more will be read; a read that waits ends when the connection does.</summary>
    public void Close() => Seal(Finish);

    protected override bool TryComplete([MaybeNullWhen(false)] out int result)
    {
        result = 0;
        if (!_inbound.Refresh(_inbound.Head, out var ended))
        {
            return false;
        }

        // A read into an empty buffer only asks whether there are bytes.
        if (!ended && !_buffer.IsEmpty)
        {
            result = _inbound.Read(_buffer.Span);
        }

        _buffer = default;
        return true;
    }

    protected override void AnnounceWait() => _inbound.AnnounceSleep();

    private void Finish()
    {
        _buffer = default;
        _inbound.Close();
        _connection.Detach();
    }
}
