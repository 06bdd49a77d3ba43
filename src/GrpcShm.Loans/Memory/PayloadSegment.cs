using System.Buffers;

namespace GrpcShm.Loans.Memory;

/// <summary>
/// A piece of a payload. Whoever holds the payload holds its memory through the pieces, so that the garbage collector
/// does not take a loan for forgotten while somebody reads it.
/// </summary>
internal sealed class PayloadSegment : ReadOnlySequenceSegment<byte>
{
    private readonly PayloadMemory _owner;

    public PayloadSegment(PayloadMemory owner, ReadOnlyMemory<byte> memory, PayloadSegment? previous)
    {
        _owner = owner;
        Memory = memory;
        if (previous is not null)
        {
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }

    /// <summary>The memory that the piece belongs to.</summary>
    public PayloadMemory Owner => _owner;
}
