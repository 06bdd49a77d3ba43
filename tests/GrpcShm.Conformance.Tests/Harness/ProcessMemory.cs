using System.Diagnostics;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>What a process has in memory of its own.</summary>
internal static class ProcessMemory
{
    /// <summary>Looks, in bytes.</summary>
    public static long Of(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64;
    }
}
