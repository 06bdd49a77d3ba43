using System.Runtime.InteropServices;

namespace GrpcShm.TestHost.Faults;

/// <summary>The limits that the kernel sets for this process, some of which the process may set itself.</summary>
internal static unsafe partial class ResourceLimits
{
    public const int FileSize = 1;
    public const int Descriptors = 7;

    /// <summary>The limit in force.</summary>
    public static ulong Get(int resource) => GetBoth(resource).Soft;

    /// <summary>
    /// Sets the limit in force (the soft limit), and leaves the hard limit, so that it can be raised again.
    /// </summary>
    public static void Set(int resource, ulong value)
    {
        var limit = GetBoth(resource) with { Soft = value };
        Check(ProcessLimit(0, resource, &limit, null));
    }

    private static Limit GetBoth(int resource)
    {
        Limit limit;
        Check(ProcessLimit(0, resource, null, &limit));
        return limit;
    }

    private static void Check(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int ProcessLimit(int process, int resource, Limit* now, Limit* before);

    [StructLayout(LayoutKind.Sequential)]
    private record struct Limit(ulong Soft, ulong Hard);
}
