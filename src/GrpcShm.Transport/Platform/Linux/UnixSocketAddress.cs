using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary><c>struct sockaddr_un</c>.</summary>
internal static class UnixSocketAddress
{
    private const int FamilyBytes = 2;

    /// <summary>Writes the address of a path.</summary>
    /// <param name="path">At most <see cref="RendezvousPaths.MaxPathBytes"/> bytes long.</param>
    /// <param name="buffer">At least 110 bytes.</param>
    /// <returns>The part of the buffer that is the address.</returns>
    public static ReadOnlySpan<byte> Write(string path, Span<byte> buffer)
    {
        buffer.Clear();
        buffer[0] = Libc.AF_UNIX;
        var length = Encoding.UTF8.GetBytes(path, buffer[FamilyBytes..]);
        return buffer[..(FamilyBytes + length + 1)];
    }
}
