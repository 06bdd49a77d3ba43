namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>What a process has used since it started.</summary>
/// <param name="Cpu">Processor time, user and kernel.</param>
/// <param name="AllocatedBytes">Bytes allocated on the managed heap.</param>
/// <param name="CompiledMethods">Methods that the just-in-time compiler has compiled, each time that it has.</param>
/// <param name="Doorbells">System calls that woke the other side of a shared-memory connection; none without such
/// connections.</param>
/// <param name="Sleeps">How often a thread went to sleep to wait for something, where the system tells.</param>
internal readonly record struct ResourceUsage(
    TimeSpan Cpu, long AllocatedBytes, long CompiledMethods, long? Doorbells, long? Sleeps)
{
    public static ResourceUsage operator -(ResourceUsage later, ResourceUsage earlier) =>
        new(
            later.Cpu - earlier.Cpu,
            later.AllocatedBytes - earlier.AllocatedBytes,
            later.CompiledMethods - earlier.CompiledMethods,
            later.Doorbells - earlier.Doorbells,
            later.Sleeps - earlier.Sleeps);
}
