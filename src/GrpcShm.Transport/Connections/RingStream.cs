namespace GrpcShm.Transport.Connections;

/// <summary>
/// Makes a connection a stream, for <see cref="System.Net.Http.SocketsHttpHandler"/>. Bytes are copied directly between
/// the caller's buffers and the rings. One read and one write at a time.
/// </summary>
/// <remarks>Cancelling a write that has begun leaves a part of it written, as with a socket.</remarks>
internal sealed class RingStream : AsyncStream
{
    private readonly SharedMemoryConnection _connection;
    private readonly RingStreamRead? _read;
    private readonly RingStreamWrite? _write;

    /// <summary>Takes over one direction of a connection, or both.</summary>
    /// <param name="connection">
    /// The connection whose bytes are read and written. A stream of both directions disposes of it; a stream of one
    /// direction ends that direction only.
    /// </param>
    /// <param name="access">Which directions.</param>
    public RingStream(SharedMemoryConnection connection, FileAccess access)
    {
        _connection = connection;
        _read = access.HasFlag(FileAccess.Read) ? new RingStreamRead(connection) : null;
        _write = access.HasFlag(FileAccess.Write) ? new RingStreamWrite(connection) : null;
    }

    public override bool CanRead => _read is not null;

    public override bool CanWrite => _write is not null;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        (_read ?? throw new NotSupportedException()).StartAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        (_write ?? throw new NotSupportedException()).StartAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _read?.Close();
            _write?.Close();
            if (_read is not null && _write is not null)
            {
                _connection.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
