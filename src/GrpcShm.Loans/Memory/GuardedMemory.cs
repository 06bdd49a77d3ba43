using System.Buffers;

namespace GrpcShm.Loans.Memory;

/// <summary>
/// Memory of a loan that refuses to be looked at once the loan has ended. For a pool that finds misuse.
/// </summary>
internal sealed class GuardedMemory(PayloadMemory owner, byte[] bytes) : MemoryManager<byte>
{
    public override Memory<byte> Memory => CreateMemory(bytes.Length);

    public override Span<byte> GetSpan()
    {
        owner.ThrowIfOver();
        return bytes;
    }

    // Not unpinned: what is pinned once stays, in a mode for debugging.
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        owner.ThrowIfOver();
        return bytes.AsMemory(elementIndex).Pin();
    }

    public override void Unpin()
    {
    }

    protected override bool TryGetArray(out ArraySegment<byte> segment)
    {
        owner.ThrowIfOver();
        segment = bytes;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
    }
}
