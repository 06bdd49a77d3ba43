using System.Globalization;
using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The locked lock file beside a socket. The lock decides which process owns the name: the kernel drops it when its
/// holder dies. So a dead server's name is free at once, and of two servers that start at the same moment one wins.
/// </summary>
/// <remarks>
/// The file is never unlinked: a process that had it open would lock a file that no other process can see.
/// </remarks>
internal sealed class LinuxNameLock : IDisposable
{
    private readonly SafeFileDescriptor _file;

    private LinuxNameLock(SafeFileDescriptor file) => _file = file;

    /// <exception cref="EndPointInUseException">Another listener has the lock.</exception>
    public static LinuxNameLock Take(SharedMemoryEndPoint endPoint, string path)
    {
        while (true)
        {
            var file = Open(path);
            try
            {
                if (!TryLock(file, path))
                {
                    throw new EndPointInUseException(
                        $"The endpoint '{endPoint}' is in use by {ReadOwner(file)} (lock file '{path}'). Stop it, or "
                        + "listen on another name.");
                }

                // A program that cleans up the temp path may have deleted the file between the opening and the locking.
                // Then the lock is on a file that nobody else will find: try again.
                if (IsStillAt(path, file))
                {
                    WriteOwner(file, path);
                    return new LinuxNameLock(file);
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    public void Dispose()
    {
        // Closing alone would leave the lock to a child process that is between fork and exec right now.
        _ = Libc.Lock(_file, Libc.LOCK_UN);
        _file.Dispose();
    }

    private static SafeFileDescriptor Open(string path)
    {
        // For the owner alone, even if others may reach the socket: a process that can open the file can lock it.
        const uint Mode = (uint)(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var file = Libc.Open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC | Libc.O_NOFOLLOW, Mode);
        return file.IsInvalid
            ? throw LinuxError.ForFile($"The lock file '{path}' cannot be opened", "open", Libc.LastError)
            : file;
    }

    private static bool TryLock(SafeFileDescriptor file, string path)
    {
        while (Libc.Lock(file, Libc.LOCK_EX | Libc.LOCK_NB) != 0)
        {
            switch (Libc.LastError)
            {
                case Libc.EINTR:
                    continue;
                case Libc.EAGAIN:
                    return false;
                case var error:
                    throw LinuxError.ForFile($"The lock file '{path}' cannot be locked", "flock", error);
            }
        }

        return true;
    }

    private static bool IsStillAt(string path, SafeFileDescriptor file) =>
        Kernel.Stat(path, follow: false, out var there) == 0
        && Kernel.Stat(file, out var here) == 0
        && there.IsSameFileAs(here);

    // The name of the owner is for people to read; the lock alone decides.
    private static unsafe void WriteOwner(SafeFileDescriptor file, string path)
    {
        var text = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        fixed (byte* bytes = text)
        {
            if (Libc.Truncate(file, 0) != 0 || Libc.Write(file, bytes, (nuint)text.Length) != text.Length)
            {
                throw LinuxError.ForFile($"The lock file '{path}' cannot be written", "write", Libc.LastError);
            }
        }
    }

    // Reads by the descriptor: File.ReadAllText would ask for a lock of its own, and not get it.
    private static unsafe string ReadOwner(SafeFileDescriptor file)
    {
        var bytes = stackalloc byte[16];
        var count = (int)Libc.Read(file, bytes, 16, 0);
        return count > 0
            && int.TryParse(
                Encoding.ASCII.GetString(bytes, count).Trim(),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var process)
                ? $"process {process}"
                : "another process";
    }
}
