using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Puts together a block of headers or trailers that comes in pieces. By the thread that receives, unless a member says
/// otherwise.
/// </summary>
internal sealed class BlockAssembly
{
    private ArrayBufferWriter<byte>? _pieces;

    // The time when the first piece of an incomplete block came, else 0. The thread that receives writes it, and the
    // heartbeat reads it: it may read an old number, which is corrected at the next heartbeat.
    private long _since;

    /// <summary>Whether the rest of a block is still to come.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Takes a piece of a block.</summary>
    /// <param name="piece">The piece, or all of the block.</param>
    /// <param name="isWhole">Whether it is the last piece.</param>
    /// <param name="connection">The connection, which counts the bytes of all incomplete blocks.</param>
    /// <param name="block">The block, if it is complete. Valid until the next piece is taken.</param>
    /// <returns>Whether the block is complete.</returns>
    /// <exception cref="SharedMemoryProtocolException">The block, or all incomplete blocks together, are too
    /// large.</exception>
    public bool TryComplete(
        ReadOnlySpan<byte> piece, bool isWhole, CallConnection connection, out ReadOnlySpan<byte> block)
    {
        var most = connection.Settings.MaxHeaderBytes;
        if (isWhole && !IsUnderWay && piece.Length <= most)
        {
            block = piece;
            return true;
        }

        var pieces = _pieces ??= new ArrayBufferWriter<byte>();
        if (pieces.WrittenCount + piece.Length > most)
        {
            throw new SharedMemoryProtocolException($"The peer sent a block of headers of more than {most} bytes.");
        }

        connection.HoldPartial(piece.Length);
        pieces.Write(piece);
        IsUnderWay = !isWhole;
        block = pieces.WrittenSpan;
        if (isWhole)
        {
            Drop(connection);
        }
        else if (_since == 0)
        {
            Volatile.Write(ref _since, connection.Clock);
        }

        return isWhole;
    }

    /// <summary>Drops the pieces that have come.</summary>
    public void Drop(CallConnection connection)
    {
        if (_pieces is { } pieces)
        {
            connection.HoldPartial(-pieces.WrittenCount);
            _pieces = null;
            Volatile.Write(ref _since, 0);
        }
    }

    /// <summary>Whether a block has been on its way for too long. Any thread.</summary>
    public bool IsOverdue(long clock, TimeSpan limit)
    {
        var since = Volatile.Read(ref _since);
        return since != 0 && clock - since - CallTimeLimits.Interval.Ticks > limit.Ticks;
    }

    /// <summary>Resets it for the next call. The call has to have left, and its pieces have been dropped.</summary>
    public void Reuse()
    {
        _pieces = null;
        _since = 0;
        IsUnderWay = false;
    }
}
