using System.Globalization;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The memory of this process after it has released all that it does not need.</summary>
internal static class ProcessMemory
{
    private const string MappingsFile = "/proc/self/smaps";
    private const string RingName = "/memfd:grpcshm";

    /// <summary>
    /// The number of bytes. If the system reports shared memory, memory of two processes counts by half in each. Rings
    /// count in full, used or not, since they are allocated in full.
    /// </summary>
    public static long Measure()
    {
        // The second collection frees the objects that the first one leaves to finalizers.
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return File.Exists(MappingsFile) ? SumMappings() : Environment.WorkingSet;
    }

    // Each mapping has first a line that ends with its name, and then lines such as "Size: 256 kB" and "Pss: 12 kB".
    private static long SumMappings()
    {
        long kibibytes = 0;
        var isRing = false;
        foreach (var line in File.ReadLines(MappingsFile))
        {
            if (line.EndsWith(" kB", StringComparison.Ordinal))
            {
                kibibytes += line switch
                {
                    _ when isRing && TryRead(line, "Size:", out var size) => size / 2,
                    _ when !isRing && TryRead(line, "Pss:", out var share) => share,
                    _ => 0,
                };
            }
            else if (!line.StartsWith("VmFlags:", StringComparison.Ordinal)
                && !line.StartsWith("THPeligible:", StringComparison.Ordinal))
            {
                isRing = line.Contains(RingName, StringComparison.Ordinal);
            }
        }

        return kibibytes * 1024;
    }

    private static bool TryRead(string line, string name, out long kibibytes)
    {
        kibibytes = 0;
        return line.StartsWith(name, StringComparison.Ordinal)
            && long.TryParse(line[name.Length..^3], CultureInfo.InvariantCulture, out kibibytes);
    }
}
