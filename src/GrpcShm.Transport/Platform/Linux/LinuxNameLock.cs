using System.Globalization;
using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The lock file beside a socket, locked. The lock decides who owns the name: the kernel drops it when its holder dies,
/// so a dead server's name is free at once and two that start at the same moment never both win.
/// </summary>
/// <remarks>
/// The file is never unlinked: whoever had it open would go on to lock a file that no one else can see.
/// </remarks>
internal sealed class LinuxNameLock : IDisposable
{
    private readonly SafeFileDescriptor _file;

    private LinuxNameLock(SafeFileDescriptor file) => _file = file;

    /// <exception cref="EndPointInUseException">Another listener has it.</exception>
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

                // Who cleans up the temp path may have deleted the file between the opening and the locking. Then the
                // lock is on a file that nobody else will find: once more.
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
        // For the owner alone, whoever may reach the socket: who can open it can lock it.
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

    // Who owns the name is for people to read; the lock alone decides.
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

    // By the descriptor: File.ReadAllText would ask for a lock of its own, and not get it.
    private static unsafe string ReadOwner(SafeFileDescriptor file)
    {
        var bytes = stackalloc byte[16];
        var count = (int)Libc.Read(file, bytes, 16, 0);
        return count > 0
            && int.TryParse(
                Encoding.ASCII.GetString(bytes, count).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? $"process {process}"
                : "another process";
    }
}
