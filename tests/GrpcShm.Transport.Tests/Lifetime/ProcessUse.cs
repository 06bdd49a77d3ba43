namespace GrpcShm.Transport.Tests.Lifetime;

/// <summary>How much this process uses of the resources that a connection takes.</summary>
internal readonly record struct ProcessUse(int Descriptors, int Mappings, int ReactorThreads, int SharedFiles)
{
    public static ProcessUse Now => new(
        Testing.Descriptors.Count,
        CountMappings(),
        Directory.GetDirectories("/proc/self/task").Count(IsReactor),
        Directory.Exists("/dev/shm")
            ? Directory.GetFileSystemEntries("/dev/shm").Count(e => e.Contains("grpcshm", StringComparison.Ordinal))
            : 0);

    /// <summary>
    /// Whether the use is as before. There may be fewer descriptors, since the finalizers of earlier tests may run
    /// late. There may be fewer threads, since threads that reactors no longer need end, and a few more, which took
    /// over from threads that were kept from a processor.
    /// </summary>
    public bool IsBackAt(ProcessUse before)
    {
        const int Overtaken = 4;
        return this with { Descriptors = before.Descriptors, ReactorThreads = before.ReactorThreads } == before
            && Descriptors <= before.Descriptors
            && ReactorThreads <= before.ReactorThreads + Overtaken;
    }

    public static int CountMappings() =>
        File.ReadLines("/proc/self/maps").Count(l => l.Contains("memfd:grpcshm", StringComparison.Ordinal));

    private static bool IsReactor(string task)
    {
        try
        {
            // With the space: the first thread has the program's name, which begins in the same way.
            return File.ReadAllText(Path.Join(task, "comm")).StartsWith("GrpcShm ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // The thread ended meanwhile.
            return false;
        }
    }
}
