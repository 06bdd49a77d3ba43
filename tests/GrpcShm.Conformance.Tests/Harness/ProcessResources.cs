namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>The resources of a process, as the kernel counts them.</summary>
/// <param name="Descriptors">Open file descriptors.</param>
/// <param name="Mappings">Mapped ranges of memory.</param>
/// <param name="Threads">Threads.</param>
internal sealed record ProcessResources(int Descriptors, int Mappings, int Threads)
{
    /// <summary>Counts.</summary>
    public static ProcessResources Of(int processId) => new(
        Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd").Count(),
        File.ReadLines($"/proc/{processId}/maps").Count(),
        Directory.EnumerateDirectories($"/proc/{processId}/task").Count());

    /// <summary>The names of the files that a process has mapped.</summary>
    public static IEnumerable<string> MappedFiles(int processId) =>
        File.ReadLines($"/proc/{processId}/maps")
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var start and >= 0 ? line[start..] : "")
            .Where(name => name.Length > 0);

    /// <summary>True if no count exceeds the other's by more than is allowed.</summary>
    public bool IsWithin(ProcessResources others, ProcessResources slack) =>
        Descriptors <= others.Descriptors + slack.Descriptors
        && Mappings <= others.Mappings + slack.Mappings
        && Threads <= others.Threads + slack.Threads;
}
