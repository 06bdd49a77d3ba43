namespace GrpcShm.Testing;

/// <summary>The pattern through streams.</summary>
internal static class StreamBytes
{
    /// <summary>Reads and checks an exact number of bytes.</summary>
    public static async Task ReadPatternAsync(this Stream stream, long position, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken).InTime();
        Pattern.Verify(bytes, position);
    }

    public static Task WritePatternAsync(this Stream stream, long position, int count) =>
        stream.WriteAsync(Pattern.Take(position, count), TestContext.Current.CancellationToken).InTime();

    /// <summary>Shows that a connection works in both directions.</summary>
    public static async Task EchoAsync(Stream one, Stream other)
    {
        await one.WritePatternAsync(0, 100);
        await other.ReadPatternAsync(0, 100);
        await other.WritePatternAsync(7, 100);
        await one.ReadPatternAsync(7, 100);
    }
}
