using System.Runtime;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Reads the resources that this process uses.</summary>
internal sealed class UsageMeter : IDisposable
{
    private readonly DoorbellCounter _doorbells = new();

    public ResourceUsage Read() => new(
        Environment.CpuUsage.TotalTime,
        GC.GetTotalAllocatedBytes(),
        JitInfo.GetCompiledMethodCount(),
        _doorbells.Read().Rung,
        ContextSwitches.CountVoluntary());

    public void Dispose() => _doorbells.Dispose();
}
