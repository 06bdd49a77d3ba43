namespace GrpcShm.FaultInjection.Reporting;

/// <summary>The resources of the transport in a process.</summary>
/// <param name="Descriptors">Sockets, doorbells and memory files.</param>
/// <param name="SharedBytes">Mapped memory that it shares with a peer.</param>
/// <param name="Threads">The transport's own.</param>
internal sealed record Footprint(int Descriptors, long SharedBytes, int Threads)
{
    private const string MemoryFile = "/memfd:grpcshm";

    // All threads of the transport are named so. The space matters: the first thread has the program's name, and may
    // pass that on to threads that it starts.
    private const string ThreadPrefix = "GrpcShm ";

    // The reactor's thread, its two spares, and the sentinel. The number of spares depends on timing.
    private const int MostThreads = 4;

    public bool IsEmpty => this is { Descriptors: 0, SharedBytes: 0, Threads: 0 };

    public static Footprint Of(int processId) => new(
        Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd").Count(IsTransports),
        File.ReadLines($"/proc/{processId}/maps")
            .Where(line => line.Contains(MemoryFile, StringComparison.Ordinal))
            .Sum(SizeOf),
        Directory.EnumerateDirectories($"/proc/{processId}/task").Count(IsTransportsThread));

    /// <summary>The resources that it has more than before.</summary>
    public Footprint Beyond(Footprint before) => new(
        Math.Max(0, Descriptors - before.Descriptors),
        Math.Max(0, SharedBytes - before.SharedBytes),
        Math.Max(0, Threads - Math.Max(before.Threads, MostThreads)));

    public override string ToString() => $"{Descriptors} descriptors, {SharedBytes:N0} bytes mapped, {Threads} threads";

    private static bool IsTransports(string link)
    {
        var target = new FileInfo(link).LinkTarget;
        return target is not null
            && (target.StartsWith("socket:", StringComparison.Ordinal)
                || target.StartsWith("anon_inode:[eventfd", StringComparison.Ordinal)
                || target.StartsWith(MemoryFile, StringComparison.Ordinal));
    }

    private static bool IsTransportsThread(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).StartsWith(ThreadPrefix, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // The thread has just ended.
            return false;
        }
    }

    private static long SizeOf(string mapping)
    {
        var range = mapping[..mapping.IndexOf(' ', StringComparison.Ordinal)].Split('-');
        return Convert.ToInt64(range[1], 16) - Convert.ToInt64(range[0], 16);
    }
}
