using System.Diagnostics;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>The private memory of a process.</summary>
internal static class ProcessMemory
{
    /// <summary>Measures it, in bytes.</summary>
    public static long Of(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64;
    }
}
