using System.Runtime;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>What a process has used since it started.</summary>
internal readonly record struct ResourceUsage(TimeSpan Cpu, long AllocatedBytes, long CompiledMethods)
{
    public static ResourceUsage OfThisProcess() =>
        new(Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), JitInfo.GetCompiledMethodCount());

    public static ResourceUsage operator -(ResourceUsage later, ResourceUsage earlier) =>
        new(
            later.Cpu - earlier.Cpu,
            later.AllocatedBytes - earlier.AllocatedBytes,
            later.CompiledMethods - earlier.CompiledMethods);
}
