using System.Globalization;

namespace GrpcShm.Samples.Tests;

/// <summary>The processes that a process has started.</summary>
internal static class ChildProcesses
{
    /// <summary>The ids of the living children of a process.</summary>
    public static IReadOnlyList<int> Of(int processId) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && ParentOf(id) == processId),
    ];

    private static int ParentOf(int processId)
    {
        try
        {
            // The name, in brackets, may contain anything; the state and the parent come after it.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return 0;
        }
    }
}
