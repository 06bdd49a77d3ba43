namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The resources that a process has used since its start.</summary>
/// <param name="Cpu">Processor time, user and kernel.</param>
/// <param name="AllocatedBytes">Bytes allocated on the managed heap.</param>
/// <param name="CompiledMethods">The number of compilations of methods by the just-in-time compiler.</param>
/// <param name="Doorbells">System calls that woke the other side of a shared-memory connection; null without such
/// connections.</param>
/// <param name="Sleeps">How often a thread slept to wait for something; null if the system does not report it.</param>
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
