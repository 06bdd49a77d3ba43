using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>Data that is sent from memory of somebody else's.</summary>
/// <param name="data">The data.</param>
/// <param name="memory">
/// The memory, of which this is one use; nothing if the lender learns in another way when it is needed no more.
/// </param>
internal readonly struct Lent(in ReadOnlySequence<byte> data, ILentMemory? memory = null)
{
    public ReadOnlySequence<byte> Data { get; } = data;

    public ILentMemory? Memory { get; } = memory;

    public bool IsEmpty => Data.IsEmpty;
}
