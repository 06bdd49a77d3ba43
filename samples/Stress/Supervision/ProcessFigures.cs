using System.Diagnostics;
using System.Globalization;

namespace Samples.Stress.Supervision;

/// <summary>The resources of a process.</summary>
/// <param name="Bytes">Resident memory.</param>
/// <param name="Descriptors">Open files and sockets; on Linux without the assemblies that the runtime keeps
/// open.</param>
/// <param name="Threads">Threads.</param>
internal readonly record struct ProcessFigures(long Bytes, int Descriptors, int Threads)
{
    /// <summary>Reads them; null if the process has ended.</summary>
    public static ProcessFigures? Read(int processId)
    {
        try
        {
            return OperatingSystem.IsLinux() ? ReadFiles(processId) : ReadProcess(processId);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException
            or InvalidOperationException)
        {
            return null;
        }
    }

    public static ProcessFigures Max(ProcessFigures one, ProcessFigures other) => new(
        Math.Max(one.Bytes, other.Bytes),
        Math.Max(one.Descriptors, other.Descriptors),
        Math.Max(one.Threads, other.Threads));

    private static ProcessFigures? ReadFiles(int processId)
    {
        long kibibytes = 0;
        long threads = 0;
        foreach (var line in File.ReadLines($"/proc/{processId}/status"))
        {
            kibibytes = line.StartsWith("VmRSS:", StringComparison.Ordinal) ? ReadNumber(line) : kibibytes;
            threads = line.StartsWith("Threads:", StringComparison.Ordinal) ? ReadNumber(line) : threads;
        }

        // A process that has ended and was not waited for has neither of these.
        return kibibytes == 0
            ? null
            : new ProcessFigures(
                kibibytes * 1024, CountDescriptors(processId), (int)threads);
    }

    private static int CountDescriptors(int processId) => new DirectoryInfo($"/proc/{processId}/fd")
        .EnumerateFileSystemInfos()
        .Count(descriptor => descriptor.LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) is not true);

    private static ProcessFigures? ReadProcess(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return new ProcessFigures(process.WorkingSet64, process.HandleCount, process.Threads.Count);
    }

    private static long ReadNumber(string line) => long.Parse(
        line[(line.IndexOf(':') + 1)..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
