using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Puts together a block of headers or trailers that comes in pieces. By the thread that receives, where it does not
/// say otherwise.
/// </summary>
internal sealed class BlockAssembly
{
    private ArrayBufferWriter<byte>? _pieces;

    // When the first piece came of a block that is not whole, else 0. Written by the thread that receives, read by the
    // heartbeat: one number, which may be an old one. An old one is corrected at the next heartbeat.
    private long _since;

    /// <summary>Whether the rest of a block has yet to come.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Takes a piece of a block.</summary>
    /// <param name="piece">The piece, or all of the block.</param>
    /// <param name="isWhole">Whether it is the last piece.</param>
    /// <param name="connection">The connection, which counts what is held of all blocks.</param>
    /// <param name="block">The block, if it is whole. Valid until the next piece is taken.</param>
    /// <returns>Whether the block is whole.</returns>
    /// <exception cref="SharedMemoryProtocolException">The block, or all that are not whole together, are too
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

    /// <summary>Drops the pieces that have come, of which the rest will not come, or has.</summary>
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

    /// <summary>Makes it as new. The call has to have left, and with it what is held.</summary>
    public void Reuse()
    {
        _pieces = null;
        _since = 0;
        IsUnderWay = false;
    }
}
