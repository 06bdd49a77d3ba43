namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Tells apart the reasons why nobody listens on any of the sockets that an endpoint may have.</summary>
/// <param name="endPoint">The endpoint.</param>
/// <param name="tried">The sockets, each with the error of the attempt to connect to it.</param>
internal sealed class LinuxServerAbsence(
    SharedMemoryEndPoint endPoint, IReadOnlyList<(string Path, int Error)> tried) : ServerAbsence
{
    /// <summary>The error of a socket that was not tried, since its directory is not the user's own.</summary>
    public const int PassedOver = -1;

    private const string Start = "Start the server." + WaitingAdvice.Text;

    private enum Gap
    {
        File,
        Folder,
        NotAFolder,
        NotOwnFolder,
    }

    private IReadOnlyList<(string Path, int Error)> Tried => tried;

    public override bool IsSameAs(ServerAbsence other) =>
        other is LinuxServerAbsence { Tried: var others } && tried.SequenceEqual(others);

    public override string Describe()
    {
        foreach (var (path, error) in tried)
        {
            if (DescribeFile(path, error) is { } found)
            {
                return found;
            }
        }

        return tried.Count == 1 ? DescribeGap(tried[0].Path, tried[0].Error) : DescribeGaps();
    }

    /// <summary>Describes a socket that this user may not connect to: usually it is another user's.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="error">The error of the attempt to connect.</param>
    public static PlatformException Forbid(string path, int error)
    {
        var user = LinuxUser.Write(Libc.EffectiveUserId());
        var whose = ListeningSockets.OwnerOf(path) is { } owner && owner != Libc.EffectiveUserId()
            ? $"it belongs to user {LinuxUser.Write(owner)}, and user {user} may not do that"
            : $"user {user} may not do that";
        return new PlatformException(
            $"The rendezvous socket '{path}' cannot be connected to: {whose} ({Libc.Describe(error)}). Run client and "
            + "server as one user, or let the server admit others: by SocketMode, DirectoryMode and AuthorizePeer of "
            + "its options, and by the rights of the socket's directory.");
    }

    /// <summary>Describes a file that is there, though nobody listens on it.</summary>
    /// <returns>The description; nothing if there is no file.</returns>
    private string? DescribeFile(string path, int error)
    {
        var file = endPoint.IsPath ? "the file" : $"the file '{path}'";
        var address = endPoint.IsPath ? "path" : "name";
        switch (error)
        {
            case Libc.EAGAIN:
                return $"so many clients wait at {file} that no more get in. The server may be stopped or overloaded: "
                    + "try again, or set WaitForServer.";
            case Libc.EPROTOTYPE:
                return $"{file} is a socket of another type (datagram or seqpacket), so it belongs to another program. "
                    + $"Stop that program, or use another {address} on both sides.";
            case Libc.ECONNREFUSED when Kernel.Stat(path, follow: true, out var status) == 0:
                return (status.IsSocket, status.IsDirectory, endPoint.IsPath) switch
                {
                    (true, _, _) =>
                        $"{file} is left of a server that has ended. A server that starts replaces it. {Start}",
                    (_, true, true) => RendezvousPaths.DescribeFolder(endPoint),
                    (_, true, false) => $"'{path}' is a folder, not a socket. Remove it, or use another name on both "
                        + "sides.",
                    _ => $"{file} is not a socket. Remove it, or use another {address} on both sides.",
                };
            default:
                return null;
        }
    }

    private string DescribeGap(string path, int error)
    {
        var gap = FindGap(path, error);
        if (endPoint.IsPath)
        {
            return gap switch
            {
                Gap.Folder => "the folder of this path does not exist. Make the folder, or correct the path.",
                Gap.NotAFolder =>
                    "the folder of this path is a file. Remove it and make the folder, or correct the path.",
                _ => $"there is no such file. {Start}",
            };
        }

        var folder = $"the folder '{Path.GetDirectoryName(path)}'";
        var (problem, remedy) = gap switch
        {
            Gap.Folder => (
                $"{folder} does not exist",
                "Make the folder, for its owner alone (mode 0700), or start the server, which makes it. "
                + "RuntimeDirectory has to be the same on both sides."),
            Gap.NotAFolder => ($"{folder} is a file", "Remove it and make the folder, or correct RuntimeDirectory."),
            Gap.NotOwnFolder => ($"{folder} is another user's, or a link, and is not used", Start),
            _ => ($"there is no file '{path}'", Start),
        };
        return $"{problem}. {DescribeServerElsewhere() ?? DescribeOtherNames() ?? remedy}";
    }

    private string DescribeGaps()
    {
        var places = tried.Select(static place => $"'{place.Path}' ({Name(FindGap(place.Path, place.Error))})");
        var advice = DescribeServerElsewhere() ?? DescribeOtherNames() ?? Start;
        return $"there is no socket at {string.Join(", ", places)}. {advice}";

        static string Name(Gap gap) => gap switch
        {
            Gap.File => "no such file",
            Gap.Folder => "no such folder",
            Gap.NotAFolder => "not in a folder",
            _ => "not tried: the folder is another user's, or a link",
        };
    }

    private static Gap FindGap(string path, int error)
    {
        if (error == PassedOver)
        {
            return Kernel.Stat(Path.GetDirectoryName(path)!, follow: false, out _) == Libc.ENOENT
                ? Gap.Folder
                : Gap.NotOwnFolder;
        }

        return Kernel.Stat(Path.GetDirectoryName(path)!, follow: true, out var folder) switch
        {
            0 when folder.IsDirectory => Gap.File,
            0 or Libc.ENOTDIR => Gap.NotAFolder,
            _ => Gap.Folder,
        };
    }

    /// <summary>Finds servers of other names where this client looks: its own name may be misspelt.</summary>
    private string? DescribeOtherNames()
    {
        var names = NamesInUse.FindSimilar(
            tried.Where(static place => place.Error != PassedOver)
                .Select(static place => Path.GetDirectoryName(place.Path)!),
            endPoint.Name);
        if (names.Count == 0)
        {
            return null;
        }

        var shown = string.Join(", ", names.Take(NamesInUse.MostShown));
        var rest = names.Count > NamesInUse.MostShown ? " and others" : "";
        return $"Servers that listen there: {shown}{rest}. If you mean one of them, correct the name. If not: {Start}";
    }

    /// <summary>Finds a server of the same name in a directory where this client does not look.</summary>
    private string? DescribeServerElsewhere()
    {
        var file = endPoint.Name + ".sock";
        foreach (var path in ListeningSockets.Named(file).Except(tried.Select(static place => place.Path)))
        {
            var owner = ListeningSockets.OwnerOf(path);
            var isOwn = owner == Libc.EffectiveUserId();

            // Nobody is sent to a folder whose owner, another user, can put anything there.
            if (owner is not null
                && ListeningSockets.MayBeOurs(path)
                && (!isOwn || RendezvousPaths.IsOwnDirectory(Path.GetDirectoryName(path)!)))
            {
                var shown = PeerText.Clean(path);
                return isOwn
                    ? $"But a server of this name listens at '{shown}'. Set RuntimeDirectory to that folder, or leave "
                        + "it and XDG_RUNTIME_DIR the same on both sides."
                    : $"But a server of this name, of user {LinuxUser.Write(owner.Value)}, listens at '{shown}'. Each "
                        + "user has names of their own: run both sides as one user, or listen on a path that both "
                        + "users reach ('shm:///absolute/path.sock').";
            }
        }

        return null;
    }
}
