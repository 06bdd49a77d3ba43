using System.Buffers;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>Pixels that a test can check wherever they come out.</summary>
internal static class WaferPixels
{
    /// <summary>Sizes below and above all pieces and windows on the way.</summary>
    public static readonly int[] Sizes = [0, 1, 100, 5_000, 70_000, 1_048_576, 3_000_001];

    public static void Fill(Span<byte> pixels, int seed) => new Random(seed).NextBytes(pixels);

    public static byte[] Create(int size, int seed)
    {
        var pixels = new byte[size];
        Fill(pixels, seed);
        return pixels;
    }

    /// <summary>What the service makes of pixels.</summary>
    public static void Invert(in ReadOnlySequence<byte> source, Span<byte> target)
    {
        source.CopyTo(target);
        foreach (ref var pixel in target)
        {
            pixel = (byte)~pixel;
        }
    }

    public static byte[] Invert(byte[] pixels)
    {
        var result = new byte[pixels.Length];
        Invert(new ReadOnlySequence<byte>(pixels), result);
        return result;
    }

    public static long Sum(in ReadOnlySequence<byte> pixels)
    {
        long sum = 0;
        foreach (var piece in pixels)
        {
            foreach (var pixel in piece.Span)
            {
                sum += pixel;
            }
        }

        return sum;
    }
}
