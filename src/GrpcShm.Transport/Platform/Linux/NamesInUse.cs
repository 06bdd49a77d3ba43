namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// Finds the names on which servers listen in the directories of names, for the message to a client whose name nobody
/// has: that name may be misspelt. The search costs far more than a call, and ends after a bounded number of files.
/// </summary>
internal static class NamesInUse
{
    /// <summary>How many names a message shows.</summary>
    public const int MostShown = 5;

    /// <summary>How many sockets are examined, those with the most similar names first.</summary>
    public const int MostExamined = 64;

    private const int MostEntries = 4096;
    private const string Suffix = ".sock";

    /// <summary>Finds names, the most similar one first.</summary>
    /// <param name="directories">The directories.</param>
    /// <param name="wanted">The name that nobody has.</param>
    /// <returns>At most one name more than a message shows.</returns>
    public static IReadOnlyList<string> FindSimilar(IEnumerable<string> directories, string wanted) =>
        [.. directories
            .SelectMany(Sockets)
            .OrderBy(socket => Distance(socket.Name, wanted))
            .ThenBy(static socket => socket.Name, StringComparer.Ordinal)
            .Take(MostExamined)
            .Where(static socket => IsServers(socket.Path))
            .Select(static socket => socket.Name)
            .Distinct(StringComparer.Ordinal)
            .Take(MostShown + 1)];

    /// <summary>
    /// The files that have the name of a socket of this transport. Nothing else gets into a message: the names of an
    /// endpoint have no character that could harm a log.
    /// </summary>
    private static IEnumerable<(string Name, string Path)> Sockets(string directory)
    {
        string[] paths;
        try
        {
            paths = [.. Directory.EnumerateFileSystemEntries(directory).Take(MostEntries)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The message says already what is wrong with this directory.
            return [];
        }

        return paths
            .Where(static path => path.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(static path => (Name: Path.GetFileName(path)[..^Suffix.Length], Path: path))
            .Where(static socket => SharedMemoryEndPoint.TryParse(socket.Name, out var endPoint)
                && endPoint.Name == socket.Name);
    }

    private static bool IsServers(string path) =>
        ListeningSockets.MayBeOurs(path) && AbandonedSocket.Probe(path) == Libc.EPROTOTYPE;

    /// <summary>
    /// The number of characters that have to be changed, added or removed to make one name the other (the distance of
    /// Levenshtein). Names are short.
    /// </summary>
    private static int Distance(string from, string to)
    {
        // After each character of one name: the distances between what was read of it and each beginning of the other.
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        foreach (var read in from)
        {
            var diagonal = row[0]++;
            for (var i = 1; i < row.Length; i++)
            {
                var replaced = diagonal + (read == to[i - 1] ? 0 : 1);
                diagonal = row[i];
                row[i] = Math.Min(replaced, Math.Min(diagonal, row[i - 1]) + 1);
            }
        }

        return row[^1];
    }
}
