namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Allocates the pages of memory if the system has no call for that.</summary>
internal static unsafe class MemoryFile
{
    private const int Piece = 64 * 1024;

    /// <summary>
    /// Writes zeros over all of a file. Not through a mapping, where lack of memory is a signal and no error.
    /// </summary>
    /// <returns>0, or the number of the error.</returns>
    public static int WriteZeros(SafeFileDescriptor file, long size)
    {
        var zeros = new byte[Math.Min(Piece, size)];
        fixed (byte* bytes = zeros)
        {
            for (var offset = 0L; offset < size;)
            {
                var written = Libc.WriteAt(file, bytes, (nuint)Math.Min(zeros.Length, size - offset), offset);
                if (written > 0)
                {
                    offset += written;
                }
                else if (written == 0)
                {
                    // Nothing was refused, and nothing was written: the file has no room for more.
                    return Libc.ENOSPC;
                }
                else if (Libc.LastError != Libc.EINTR)
                {
                    return Libc.LastError;
                }
            }
        }

        return 0;
    }
}
