namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Removes what is left of names that nobody uses: the lock file that every listener leaves, and the socket that a
/// killed process leaves. A listener does this in its own directory of names, once, when it listens already: a client
/// of its name need not wait until the directory is clean.
/// </summary>
/// <remarks>
/// <para>
/// A lock file is removed only by a process that holds the lock on it, and so in the place of the name's owner. It must
/// be a plain file of this user's that a listener has written (<c>LinuxNameLock.IsListenersOwn</c>), and it must
/// still be the file at its path. A socket beside it is removed before it, and only if nobody has that socket open.
/// Whatever does not prove to be abandoned stays. On a file system that several machines may share nothing is removed,
/// since neither a lock nor a socket shows there that another machine uses a name (<see cref="LocalFileSystem"/>).
/// </para>
/// <para>
/// The races. A listener that opened the lock file before it was removed locks a file that has no path any more. It
/// notices that after it has the lock, and begins again with a new file (<see cref="LinuxNameLock.Take"/>). So a name
/// never has two owners. A listener that wants the name while it is examined would be refused wrongly: for that,
/// listeners share the lock of the directory while they take a name, and here it is held alone
/// (<see cref="LinuxDirectoryLock"/>). For the same reason nobody makes a lock file between the check that the file is
/// still at its path and its removal. Of two processes that clean up, one does it and the other leaves it.
/// </para>
/// <para>
/// A listener of an earlier version does not share the lock of the directory. It could find its name in use for some
/// microseconds, and no more than that: it makes sure, too, that its lock file is still at its path.
/// </para>
/// </remarks>
internal static class AbandonedNames
{
    /// <summary>
    /// How many names a listener examines, so that it starts quickly in a large directory. If there are more, it begins
    /// at a random one: the names that it leaves come to another listener, even if the ones that it examines stay.
    /// </summary>
    public const int MaxNames = 512;

    // To read the name of an entry is much cheaper than to examine it, but not free.
    private const int MaxEntries = 32 * MaxNames;

    private const string SocketSuffix = ".sock";

    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true,
    };

    /// <summary>
    /// Removes the files of abandoned names in a directory, if <see cref="LinuxDirectoryLock"/> locks that directory. A
    /// failure is no more than a remark, since the listener can do without a clean directory.
    /// </summary>
    /// <returns>What has gone wrong.</returns>
    public static RendezvousRemark? TryRemove(string directory)
    {
        try
        {
            Remove(directory);
            return null;
        }
        catch (Exception exception)
        {
            return new RendezvousRemark(
                $"What is left of other names in '{directory}' was not removed: {exception.Message}", IsWarning: true);
        }
    }

    private static void Remove(string directory)
    {
        using var alone = LinuxDirectoryLock.TryOwn(directory);
        if (alone is null)
        {
            return;
        }

        var sockets = Find(directory);
        var first = sockets.Count > MaxNames ? Random.Shared.Next(sockets.Count) : 0;
        for (var i = 0; i < Math.Min(sockets.Count, MaxNames); i++)
        {
            RemoveIfAbandoned(sockets[(first + i) % sockets.Count]);
        }
    }

    /// <summary>The sockets of the names that have a lock file.</summary>
    private static List<string> Find(string directory)
    {
        var sockets = new List<string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(directory, "*", Everything).Take(MaxEntries))
        {
            if (LinuxNameLock.SocketOf(path) is { } socket
                && socket.EndsWith(SocketSuffix, StringComparison.Ordinal)
                && SharedMemoryEndPoint.TryParse(Path.GetFileName(socket)[..^SocketSuffix.Length], out _))
            {
                sockets.Add(socket);
            }
        }

        return sockets;
    }

    private static void RemoveIfAbandoned(string socket)
    {
        using var @lock = LinuxNameLock.TryTakeAbandoned(LinuxNameLock.PathFor(socket));
        if (@lock is not null && AbandonedSocket.TryRemove(socket))
        {
            @lock.RemoveFile();
        }
    }
}
