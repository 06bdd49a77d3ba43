namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The profiles of methods, by a hash of their paths that nobody outside of this process can predict. Two methods may
/// share a profile. The table does not grow: paths that a peer invents share the existing profiles. Any thread.
/// </summary>
/// <param name="mode">Where the work of all of them runs.</param>
internal sealed class RunProfileTable(RunMode mode)
{
    /// <summary>The most profiles; a power of two.</summary>
    public const int Size = 1024;

    private readonly RunProfile?[] _profiles = new RunProfile?[Size];

    public RunProfile Of(string path)
    {
        ref var place = ref _profiles[path.GetHashCode(StringComparison.Ordinal) & (Size - 1)];
        return Volatile.Read(ref place)
            ?? Interlocked.CompareExchange(ref place, new RunProfile(mode), null)
            ?? Volatile.Read(ref place)!;
    }
}
