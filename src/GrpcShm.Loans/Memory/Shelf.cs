namespace GrpcShm.Loans.Memory;

/// <summary>The pieces of memory of one size that a pool keeps. Under the gate of the pool.</summary>
internal sealed class Shelf
{
    private readonly Stack<(byte[] Bytes, string? MadeAt)> _pieces = [];

    public bool IsEmpty => _pieces.Count == 0;

    /// <summary>When it was last used, in rents and returns of the pool.</summary>
    public long LastUse { get; private set; }

    public void Add(byte[] bytes, string? madeAt, long now)
    {
        _pieces.Push((bytes, madeAt));
        LastUse = now;
    }

    /// <summary>Takes a piece.</summary>
    /// <param name="now">When.</param>
    /// <param name="madeAt">Where the piece was lent before, if the pool takes note of it.</param>
    /// <returns>The piece; nothing if there is none.</returns>
    public byte[]? TryTake(long now, out string? madeAt)
    {
        LastUse = now;
        var isThere = _pieces.TryPop(out var piece);
        madeAt = piece.MadeAt;
        return isThere ? piece.Bytes : null;
    }

    /// <summary>Drops a piece, and does not count as a use.</summary>
    /// <returns>The size of the piece in bytes.</returns>
    public int Drop() => _pieces.Pop().Bytes.Length;
}
