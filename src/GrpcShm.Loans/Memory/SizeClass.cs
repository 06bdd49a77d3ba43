using System.Numerics;

namespace GrpcShm.Loans.Memory;

/// <summary>
/// The sizes of the pieces of memory that a pool keeps: four between a power of two and the next, so that at most a
/// quarter of the asked size is wasted.
/// </summary>
internal static class SizeClass
{
    private const int LeastLog = 12;
    private const int Steps = 4;

    /// <summary>The smallest piece in bytes.</summary>
    public const int Least = 1 << LeastLog;

    // Larger pieces are not kept.
    private const int Largest = 1 << 30;

    /// <summary>The number of sizes.</summary>
    public const int Count = ((30 - LeastLog) * Steps) + 1;

    /// <summary>Finds the size for a length.</summary>
    /// <param name="length">How many bytes are needed; more than 0.</param>
    /// <param name="size">The size in bytes; the length itself if it is too large to be kept.</param>
    /// <returns>The number of the size, from 0 up; -1 if a piece of it is not kept.</returns>
    public static int Find(int length, out int size)
    {
        if (length <= Least)
        {
            size = Least;
            return 0;
        }

        if (length > Largest)
        {
            size = length;
            return -1;
        }

        var log = BitOperations.Log2((uint)length - 1);
        var step = log - 2;
        var steps = ((length - 1) >> step) + 1;
        size = steps << step;
        return ((log - LeastLog) * Steps) + steps - Steps;
    }
}
