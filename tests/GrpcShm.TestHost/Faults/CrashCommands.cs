using System.Globalization;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.TestHost.Faults;

/// <summary>
/// The lines on standard input for this process's end: <c>crash STEP TIMES ACTION</c> makes it end itself, and is
/// answered when it is in force; <c>memory</c> is answered with the bytes in use after a garbage collection.
/// </summary>
internal static class CrashCommands
{
    private static CrashPoint? s_point;

    /// <returns>True if the line was one of these.</returns>
    public static bool TryExecute(string line)
    {
        const string Crash = "crash ";
        if (line == "memory")
        {
            new HostMessage(HostMessage.Done, Environment.ProcessId) { Number = LiveBytes() }.Write();
            return true;
        }

        if (!line.StartsWith(Crash, StringComparison.Ordinal))
        {
            return false;
        }

        if (!FaultPoint.IsEnabled)
        {
            throw new InvalidOperationException($"The run-time configuration does not have '{FaultPoint.Switch}'.");
        }

        var parts = line[Crash.Length..].Split(' ');
        s_point = new CrashPoint(
            Enum.Parse<FaultStep>(parts[0]),
            int.Parse(parts[1], CultureInfo.InvariantCulture),
            Enum.Parse<CrashAction>(parts[2]));
        FaultPoint.Reached = s_point.Reached;
        new HostMessage(HostMessage.Done, Environment.ProcessId).Write();
        return true;
    }

    /// <summary>The bytes in use after a garbage collection with all finalizers.</summary>
    public static long LiveBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
