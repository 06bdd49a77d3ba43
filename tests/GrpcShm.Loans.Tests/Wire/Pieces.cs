using System.Buffers;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>Bytes that lie in several pieces of memory.</summary>
internal sealed class Pieces : ReadOnlySequenceSegment<byte>
{
    private Pieces(ReadOnlyMemory<byte> memory, Pieces? previous)
    {
        Memory = memory;
        if (previous is not null)
        {
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }

    /// <summary>Cuts bytes into pieces.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="sizes">The sizes of the pieces, again and again; 0 for an empty piece.</param>
    public static ReadOnlySequence<byte> Of(byte[] bytes, params int[] sizes)
    {
        if (sizes.Sum() == 0)
        {
            return new ReadOnlySequence<byte>(bytes);
        }

        Pieces? first = null;
        Pieces? last = null;
        var rest = bytes.AsMemory();
        for (var i = 0; rest.Length > 0 || first is null; i++)
        {
            var size = Math.Min(sizes[i % sizes.Length], rest.Length);

            // Memory of its own: whoever reads beyond a piece must not find the next one there by chance.
            last = new Pieces(rest[..size].ToArray(), last);
            first ??= last;
            rest = rest[size..];
        }

        return new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }
}
