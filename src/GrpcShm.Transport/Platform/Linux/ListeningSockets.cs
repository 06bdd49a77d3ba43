using System.Text.RegularExpressions;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The sockets on which processes of this machine listen, whoever they belong to: the kernel lists them for everybody,
/// also if their directory is closed to this user. Only for messages: any process can put any path into the list.
/// </summary>
internal static partial class ListeningSockets
{
    private const string List = "/proc/net/unix";
    private const int MostLines = 65_536;

    // The columns before the path, of which the fourth says that the socket listens (__SO_ACCEPTCON).
    private const int Columns = 7;
    private const int FlagsColumn = 3;
    private const string Listens = "00010000";

    /// <summary>
    /// Finds the sockets whose file has a certain name. Only those with an absolute path: any other path says nothing
    /// without the working directory of its process, and in this process it could mean another file.
    /// </summary>
    public static IReadOnlyList<string> Named(string fileName)
    {
        try
        {
            return [.. File.ReadLines(List)
                .Take(MostLines)
                .Where(line => line.EndsWith("/" + fileName, StringComparison.Ordinal))
                .Select(static line => line.Split(' ', Columns + 1, StringSplitOptions.RemoveEmptyEntries))
                .Where(static parts => parts.Length > Columns && parts[FlagsColumn] == Listens)
                .Select(static parts => parts[Columns])
                .Where(static path => path.StartsWith('/'))
                .Distinct(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A sandbox may hide the list. Then the message says less.
            return [];
        }
    }

    /// <summary>
    /// True if a socket may be an endpoint's: there is a lock file beside it, or its directory has the name that this
    /// transport gives to a user's directory, and is closed to this user.
    /// </summary>
    public static bool MayBeOurs(string path) => Kernel.Stat(LinuxNameLock.PathFor(path), follow: false, out _) switch
    {
        0 => true,
        Libc.EACCES => UserDirectory().IsMatch(Path.GetDirectoryName(path)!),
        _ => false,
    };

    /// <summary>
    /// Finds the user to whom a socket belongs. If its directory is closed to this user, that is the directory's owner.
    /// </summary>
    /// <returns>
    /// The user; nothing if there is no such socket. Links are not followed: another user could let one lead to a file
    /// of this user's.
    /// </returns>
    public static uint? OwnerOf(string path)
    {
        for (var place = path; place is not null; place = Path.GetDirectoryName(place))
        {
            switch (Kernel.Stat(place, follow: false, out var status))
            {
                case 0:
                    return place != path || status.IsSocket ? status.UserId : null;
                case Libc.EACCES:
                    continue;
                default:
                    return null;
            }
        }

        return null;
    }

    [GeneratedRegex(@"/\.?grpcshm(-\d+)?\z")]
    private static partial Regex UserDirectory();
}
