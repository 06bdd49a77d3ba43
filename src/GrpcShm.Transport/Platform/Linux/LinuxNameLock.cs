using System.Globalization;
using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The locked lock file beside a socket. The lock decides which process owns the name: the kernel drops it when its
/// holder dies. So a dead server's name is free at once, and of two servers that start at the same moment one wins.
/// </summary>
/// <remarks>
/// A process that has the lock makes sure that the file is still at its path: the file may have been removed after it
/// was opened, by <see cref="AbandonedNames"/> or by a program that cleans up the temp path, and a lock on a file that
/// no other process can find would decide nothing. The owner of a name leaves the file where it is.
/// </remarks>
internal sealed class LinuxNameLock : IDisposable
{
    private const string Suffix = ".lock";

    // Comes after the number of the process. Other programs, too, write their number into a file of such a name.
    private const string Mark = " grpcshm";

    private readonly SafeFileDescriptor _file;
    private readonly string _path;

    private LinuxNameLock(SafeFileDescriptor file, string path)
    {
        _file = file;
        _path = path;
    }

    /// <summary>The path of the lock file beside a socket.</summary>
    public static string PathFor(string socket) => socket + Suffix;

    /// <summary>The path of the socket beside a lock file; nothing if the path is no lock file's.</summary>
    public static string? SocketOf(string path) =>
        path.EndsWith(Suffix, StringComparison.Ordinal) ? path[..^Suffix.Length] : null;

    /// <summary>Takes the lock of an endpoint, and with it the name.</summary>
    /// <param name="endPoint">The endpoint.</param>
    /// <param name="path">The lock file.</param>
    /// <param name="longestWait">How long to wait for a process that cleans up the directory.</param>
    /// <exception cref="EndPointInUseException">Another listener has the lock.</exception>
    public static LinuxNameLock Take(SharedMemoryEndPoint endPoint, string path, TimeSpan longestWait)
    {
        // Otherwise the lock could be held by a process that examines the file, and has no use for the name. Nobody
        // examines the file of an endpoint that is a path, unless its directory is one of names, too. In that rare case
        // the listener may be refused, as by a predecessor that has not ended yet.
        using var shared = endPoint.IsPath
            ? null
            : LinuxDirectoryLock.Share(Path.GetDirectoryName(path)!, longestWait);
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

                // Removed between the opening and the locking: try again.
                if (IsStillAt(path, file))
                {
                    WriteOwner(file, path);
                    return new LinuxNameLock(file, path);
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

    /// <summary>
    /// Takes the lock of a name that nobody has, without a claim to the name. While the directory is this process's
    /// alone: see <see cref="LinuxDirectoryLock"/>.
    /// </summary>
    /// <returns>Nothing if a listener has the lock, or the file is not sure to be a listener's of this user.</returns>
    public static LinuxNameLock? TryTakeAbandoned(string path)
    {
        // Looked at before it is opened, since to open a device may have an effect.
        if (Kernel.Stat(path, follow: false, out var status) != 0
            || !status.IsRegularFile
            || status.UserId != Libc.EffectiveUserId())
        {
            return null;
        }

        var file = Libc.Open(path, Libc.O_RDWR | Libc.O_CLOEXEC | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        if (!file.IsInvalid
            && Libc.Lock(file, Libc.LOCK_EX | Libc.LOCK_NB) == 0
            && Kernel.Stat(file, out var opened) == 0
            && opened.IsSameFileAs(status)
            && IsStillAt(path, file)
            && IsListenersOwn(file))
        {
            return new LinuxNameLock(file, path);
        }

        // Closing is enough here: a copy of the descriptor in a child process can only make the file stay.
        file.Dispose();
        return null;
    }

    /// <summary>Removes the file, so that the name leaves no trace.</summary>
    public void RemoveFile() => _ = Libc.Unlink(_path);

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
        var text = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + Mark + "\n");
        fixed (byte* bytes = text)
        {
            if (Libc.Truncate(file, 0) != 0 || Libc.Write(file, bytes, (nuint)text.Length) != text.Length)
            {
                throw LinuxError.ForFile($"The lock file '{path}' cannot be written", "write", Libc.LastError);
            }
        }
    }

    private static string ReadOwner(SafeFileDescriptor file) =>
        int.TryParse(ReadText(file).Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)
            ? $"process {process}"
            : "another process";

    /// <summary>True if a listener has written the file. Earlier versions wrote no mark.</summary>
    private static bool IsListenersOwn(SafeFileDescriptor file)
    {
        var text = ReadText(file);
        return text.EndsWith(Mark, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan()[..^Mark.Length], NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    // Reads by the descriptor: File.ReadAllText would ask for a lock of its own, and not get it.
    private static unsafe string ReadText(SafeFileDescriptor file)
    {
        const int Size = 32;
        var bytes = stackalloc byte[Size];
        var count = (int)Libc.Read(file, bytes, Size, 0);
        return count > 0 ? Encoding.ASCII.GetString(bytes, count).Trim() : string.Empty;
    }
}
