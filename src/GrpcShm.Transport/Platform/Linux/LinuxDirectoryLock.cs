using System.Diagnostics;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// A lock on a directory of names. Listeners that take a name have it together. A listener that removes the files of
/// abandoned names (<see cref="AbandonedNames"/>) has it alone.
/// </summary>
/// <remarks>
/// <para>
/// Without this lock a listener could find the lock of its name held by a process that only cleans up, and would report
/// that the name is in use. The lock decides nothing else: the lock of a name decides who owns the name, whether this
/// lock is held or not. So a listener that waits too long for it, or cannot lock the directory at all, goes on without
/// it, and a process that cannot have it alone at once does not clean up.
/// </para>
/// <para>
/// To lock a directory a process needs no more than the right to read it, and it may keep the lock for ever. So only a
/// directory is locked that belongs to this user and that no other user may read: then only this user's processes, and
/// those of root, can delay a listener. And it is locked only on a file system of this machine alone, where the lock
/// says something (<see cref="LocalFileSystem"/>). Nobody cleans up any other directory.
/// </para>
/// </remarks>
internal sealed class LinuxDirectoryLock : IDisposable
{
    // With an access control list, the rights of the group are the most that the list gives to anybody.
    private const UnixFileMode ReadByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly SafeFileDescriptor _directory;

    private LinuxDirectoryLock(SafeFileDescriptor directory) => _directory = directory;

    /// <summary>Waits until nobody cleans up the directory, and keeps others from beginning to.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="longestWait">The end of the wait.</param>
    /// <returns>Nothing if the directory cannot be locked, or another process has it for too long.</returns>
    public static LinuxDirectoryLock? Share(string directory, TimeSpan longestWait) =>
        Take(directory, Libc.LOCK_SH, longestWait);

    /// <summary>Takes the directory for this process alone. Does not wait.</summary>
    /// <returns>Nothing if another process has it, or the directory cannot be locked.</returns>
    public static LinuxDirectoryLock? TryOwn(string directory) => Take(directory, Libc.LOCK_EX, TimeSpan.Zero);

    public void Dispose()
    {
        // Closing alone would leave the lock to a child process that is between fork and exec right now.
        _ = Libc.Lock(_directory, Libc.LOCK_UN);
        _directory.Dispose();
    }

    private static LinuxDirectoryLock? Take(string directory, int how, TimeSpan longestWait)
    {
        // Looked at before it is opened, since to open a device may have an effect.
        if (!RendezvousPaths.IsOwnDirectory(directory))
        {
            return null;
        }

        var started = Stopwatch.GetTimestamp();
        var file = Libc.Open(directory, Libc.O_CLOEXEC | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        while (MayBeLocked(file))
        {
            if (Libc.Lock(file, how | Libc.LOCK_NB) == 0)
            {
                return new LinuxDirectoryLock(file);
            }

            var error = Libc.LastError;
            if (error == Libc.EAGAIN && Stopwatch.GetElapsedTime(started) < longestWait)
            {
                Thread.Sleep(Pause);
            }
            else if (error != Libc.EINTR)
            {
                break;
            }
        }

        file.Dispose();
        return null;
    }

    private static bool MayBeLocked(SafeFileDescriptor directory) =>
        !directory.IsInvalid
        && Kernel.Stat(directory, out var status) == 0
        && status.IsDirectory
        && status.UserId == Libc.EffectiveUserId()
        && (status.Rights & ReadByOthers) == 0
        && LocalFileSystem.Holds(directory);
}
