using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>
/// How often threads of this process gave up their processor to wait, threads that have ended included.
/// </summary>
internal static partial class ContextSwitches
{
    public static long? CountVoluntary() =>
        !OperatingSystem.IsWindows() && GetResourceUsage(who: 0, out var usage) == 0 ? usage.VoluntarySwitches : null;

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetResourceUsage(int who, out Usage usage);

    // Two times of two words each, then fourteen words.
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    private struct Usage
    {
        [FieldOffset(128)]
        public long VoluntarySwitches;
    }
}
