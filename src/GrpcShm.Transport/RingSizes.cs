using System.Numerics;

namespace GrpcShm.Transport;

/// <summary>The sizes that a ring may have, and its size by default.</summary>
internal static class RingSizes
{
    public const int Smallest = 4 * 1024;
    public const int Largest = 64 * 1024 * 1024;

    // Small enough to stay in a core's second-level cache with its twin, large enough that a 64 KiB message takes one
    // wait for space at most. The whole of it is allocated when a connection is made.
    public const int Default = 256 * 1024;

    public static bool IsValid(long size) => size is >= Smallest and <= Largest && BitOperations.IsPow2(size);

    public static int Check(int size, string name) =>
        IsValid(size)
            ? size
            : throw new ArgumentOutOfRangeException(
                name, size, $"A ring's size is a power of two from {Smallest} to {Largest} bytes.");
}
