using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Finds the socket file of an endpoint's name. Client and server go through the same ordered list, so that they meet
/// even if only one of them (say, a service and a login session) was started with <c>XDG_RUNTIME_DIR</c>.
/// </summary>
internal static class RendezvousPaths
{
    // sun_path has 108 bytes, one of them for the final zero.
    public const int MaxPathBytes = 107;

    /// <summary>The sockets that an endpoint may have, in the order in which they are tried.</summary>
    /// <exception cref="IOException">Every path is too long for a socket.</exception>
    public static IReadOnlyList<string> Candidates(SharedMemoryEndPoint endPoint, string? directory)
    {
        if (endPoint.IsPath)
        {
            return [CheckLength(endPoint.Name)];
        }

        IEnumerable<string> directories = directory is null ? UserDirectories() : [Path.GetFullPath(directory)];
        var paths = directories.Select(d => SocketPath(d, endPoint)).ToArray();
        var fitting = Array.FindAll(paths, Fits);
        return fitting.Length > 0 ? fitting : [CheckLength(paths[0])];
    }

    public static string SocketPath(string directory, SharedMemoryEndPoint endPoint) =>
        Path.Join(directory, endPoint.Name + ".sock");

    /// <summary>The directories that are this user's own, best first.</summary>
    public static IReadOnlyList<string> UserDirectories()
    {
        var user = Libc.EffectiveUserId();
        var candidates = new List<string>();
        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
            && Path.IsPathRooted(runtime))
        {
            candidates.Add(Path.Join(runtime, "grpcshm"));
        }

        if (Directory.Exists($"/run/user/{user}"))
        {
            candidates.Add($"/run/user/{user}/grpcshm");
        }

        candidates.Add(Path.Join(Path.GetTempPath(), $"grpcshm-{user}"));
        candidates.Add($"/tmp/grpcshm-{user}");

        // Last, since a home may be on another machine, and a file in the temp path disappears with a restart. But a
        // home is the only place where no other user can have been first.
        if (HomeDirectory.Find(user, out _) is { } home)
        {
            candidates.Add(Path.Join(home, ".grpcshm"));
        }

        return [.. candidates.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Makes sure that a directory exists and that nobody but its owner could have put something there. Everybody may
    /// write to the temp path, so another user could have made the directory first, as a trap.
    /// </summary>
    /// <returns><see langword="null"/>, or why the directory cannot be used.</returns>
    public static string? Prepare(string directory, UnixFileMode mode)
    {
        var created = Libc.MakeDirectory(directory, (uint)mode) == 0;
        var error = created ? 0 : Libc.LastError;
        if (created && Libc.ChangeMode(directory, (uint)mode) != 0)
        {
            // mkdir subtracts the umask, which may have removed rights that an option asks for.
            return $"its mode cannot be set: {Libc.Describe(Libc.LastError)}";
        }

        return Inspect(directory, mode) is { } problem
            ? error switch
            {
                0 or Libc.EEXIST => problem,
                Libc.ENOENT => $"'{Path.GetDirectoryName(directory)}' does not exist: make the folder",
                _ => $"it cannot be created: {Libc.Describe(error)}",
            }
            : null;
    }

    /// <summary>
    /// Checks that an endpoint that is a path is no folder, and that its folder exists: only the user knows its rights.
    /// </summary>
    /// <exception cref="IOException">It is a folder, or there is no such folder.</exception>
    public static void CheckFolder(SharedMemoryEndPoint endPoint)
    {
        switch (Kernel.Stat(Path.GetDirectoryName(endPoint.Name)!, follow: true, out var folder))
        {
            case Libc.ENOENT:
                throw new IOException(
                    $"The endpoint '{endPoint}' cannot be listened on: the folder of this path does not exist. Make "
                    + "the folder, with rights for those users only who shall connect, or listen on another path.");
            case 0 when IsFolder(endPoint.Name):
                throw new IOException(
                    $"The endpoint '{endPoint}' cannot be listened on: {DescribeFolder(endPoint)}");
            case 0 when !folder.IsDirectory:
            case Libc.ENOTDIR:
                throw new IOException(
                    $"The endpoint '{endPoint}' cannot be listened on: the folder of this path is a file. Remove it "
                    + "and make the folder, or listen on another path.");
            default:
                // Any other error says more where the file itself is opened.
                break;
        }
    }

    /// <summary>True if there is a directory at a path, or a link to one.</summary>
    public static bool IsFolder(string path) =>
        Kernel.Stat(path, follow: true, out var status) == 0 && status.IsDirectory;

    /// <summary>Says of an endpoint that is the path of a folder what to write instead.</summary>
    public static string DescribeFolder(SharedMemoryEndPoint endPoint) =>
        $"this path is a folder. Write the path of a socket in the folder, as '{endPoint}/orders.sock'.";

    /// <summary>True if there is a directory, not a link, that belongs to the effective user.</summary>
    public static bool IsOwnDirectory(string directory) =>
        Kernel.Stat(directory, follow: false, out var status) == 0
        && status.IsDirectory
        && status.UserId == Libc.EffectiveUserId();

    /// <summary>True if another user has put something at a path.</summary>
    public static bool IsOthers(string path) =>
        Kernel.Stat(path, follow: false, out var status) == 0 && status.UserId != Libc.EffectiveUserId();

    private static string? Inspect(string directory, UnixFileMode allowed)
    {
        if (Kernel.Stat(directory, follow: false, out var status) is not 0 and var error)
        {
            return Libc.Describe(error);
        }

        if (!status.IsDirectory)
        {
            return "it is not a directory (a symbolic link is not followed)" + (status.UserId == Libc.EffectiveUserId()
                ? string.Empty
                : $" and belongs to user {status.UserId}");
        }

        if (status.UserId != Libc.EffectiveUserId())
        {
            return $"it belongs to user {status.UserId}, not to {Libc.EffectiveUserId()}";
        }

        var excess = status.Rights & ~(allowed | UnixFileMode.StickyBit | UnixFileMode.SetGroup);
        return excess == 0 ? null : $"others may enter it (its mode is 0{Convert.ToString((int)status.Rights, 8)})";
    }

    private static bool Fits(string path) => Encoding.UTF8.GetByteCount(path) <= MaxPathBytes;

    private static string CheckLength(string path) =>
        Fits(path)
            ? path
            : throw new IOException(
                $"The path of the rendezvous socket, '{path}', has {Encoding.UTF8.GetByteCount(path)} bytes; a Unix "
                + $"socket's path has {MaxPathBytes} at most. Use a shorter name or runtime directory.");
}
