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
/// Only a directory of the user's own is locked. In any other directory nobody removes this user's files, and anybody
/// who can read it could hold the lock for ever.
/// </para>
/// </remarks>
internal sealed class LinuxDirectoryLock : IDisposable
{
    // Cleaning up takes milliseconds. A process that is stopped meanwhile must not keep others from their names.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly SafeFileDescriptor _directory;

    private LinuxDirectoryLock(SafeFileDescriptor directory) => _directory = directory;

    /// <summary>Waits until nobody cleans up the directory, and keeps others from beginning to.</summary>
    /// <returns>Nothing if the directory cannot be locked, or another process has it for too long.</returns>
    public static LinuxDirectoryLock? Share(string directory)
    {
        var started = Stopwatch.GetTimestamp();
        return Take(directory, Libc.LOCK_SH, () => Stopwatch.GetElapsedTime(started) < LongestWait);
    }

    /// <summary>Takes the directory for this process alone. Does not wait.</summary>
    /// <returns>Nothing if another process has it, or the directory cannot be locked.</returns>
    public static LinuxDirectoryLock? TryOwn(string directory) => Take(directory, Libc.LOCK_EX, static () => false);

    public void Dispose()
    {
        // Closing alone would leave the lock to a child process that is between fork and exec right now.
        _ = Libc.Lock(_directory, Libc.LOCK_UN);
        _directory.Dispose();
    }

    private static LinuxDirectoryLock? Take(string directory, int how, Func<bool> mayWait)
    {
        if (!RendezvousPaths.IsOwnDirectory(directory))
        {
            return null;
        }

        var file = Libc.Open(directory, Libc.O_CLOEXEC | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        while (!file.IsInvalid)
        {
            if (Libc.Lock(file, how | Libc.LOCK_NB) == 0)
            {
                return new LinuxDirectoryLock(file);
            }

            var error = Libc.LastError;
            if (error == Libc.EAGAIN && mayWait())
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
}
