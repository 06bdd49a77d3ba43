namespace GrpcShm.Testing;

/// <summary>
/// A stream of bytes in which each one tells its position, so that a lost, doubled or displaced one shows.
/// </summary>
internal static class Pattern
{
    public static byte At(long position)
    {
        var mixed = (ulong)position * 0x9E3779B97F4A7C15;
        return (byte)(mixed >> 56);
    }

    public static void Fill(Span<byte> bytes, long position)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = At(position + i);
        }
    }

    public static byte[] Take(long position, int count)
    {
        var bytes = new byte[count];
        Fill(bytes, position);
        return bytes;
    }

    public static void Verify(ReadOnlySpan<byte> bytes, long position)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != At(position + i))
            {
                Assert.Fail($"The byte at {position + i} is {bytes[i]} and should be {At(position + i)}.");
            }
        }
    }
}
