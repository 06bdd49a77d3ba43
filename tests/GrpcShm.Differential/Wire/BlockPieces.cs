namespace GrpcShm.Differential.Wire;

/// <summary>Splits a block of fields into frames.</summary>
internal static class BlockPieces
{
    /// <param name="length">The block's length.</param>
    /// <param name="splits">The places where it is split, in thousandths of its length.</param>
    /// <param name="most">The longest piece.</param>
    public static IEnumerable<(int Start, int Length, bool IsEnd)> Of(int length, IReadOnlyList<int> splits, int most)
    {
        var start = 0;
        foreach (var split in splits.Select(s => (int)((long)length * s / 1000)).Append(length))
        {
            do
            {
                var piece = Math.Min(split - start, most);
                var isEnd = start + piece == length && split == length;
                yield return (start, piece, isEnd);
                start += piece;
                if (isEnd)
                {
                    yield break;
                }
            }
            while (start < split);
        }
    }
}
