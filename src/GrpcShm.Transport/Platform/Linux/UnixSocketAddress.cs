using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary><c>struct sockaddr_un</c>.</summary>
internal static class UnixSocketAddress
{
    /// <summary>The size of the structure.</summary>
    public const int Size = 110;

    private const int FamilyBytes = 2;

    /// <summary>Writes the address of a path.</summary>
    /// <param name="path">At most <see cref="RendezvousPaths.MaxPathBytes"/> bytes long.</param>
    /// <param name="buffer">At least <see cref="Size"/> bytes.</param>
    /// <returns>The part of the buffer that is the address.</returns>
    public static ReadOnlySpan<byte> Write(string path, Span<byte> buffer)
    {
        buffer.Clear();
        buffer[0] = Libc.AF_UNIX;
        var length = Encoding.UTF8.GetBytes(path, buffer[FamilyBytes..]);
        return buffer[..(FamilyBytes + length + 1)];
    }

    /// <summary>Reads the path of an address that the kernel has given.</summary>
    /// <returns>
    /// <see langword="null"/> if it is no path: another family, no name at all, or an abstract name.
    /// </returns>
    public static string? Read(ReadOnlySpan<byte> address)
    {
        if (address.Length <= FamilyBytes || address[0] != Libc.AF_UNIX || address[1] != 0)
        {
            return null;
        }

        var path = address[FamilyBytes..];
        var end = path.IndexOf((byte)0);
        path = end < 0 ? path : path[..end];
        return path.IsEmpty ? null : Encoding.UTF8.GetString(path);
    }
}
