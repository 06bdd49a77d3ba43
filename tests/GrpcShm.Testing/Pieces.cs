using System.Buffers;

namespace GrpcShm.Testing;

/// <summary>Bytes that lie in several pieces of memory.</summary>
public sealed class Pieces : ReadOnlySequenceSegment<byte>
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

    /// <summary>Puts pieces behind each other, of which some may be empty.</summary>
    public static ReadOnlySequence<byte> Join(params IEnumerable<byte[]> pieces)
    {
        Pieces? first = null;
        Pieces? last = null;
        foreach (var piece in pieces)
        {
            last = new Pieces(piece, last);
            first ??= last;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
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

        var pieces = new List<byte[]>();
        var rest = bytes.AsMemory();
        for (var i = 0; rest.Length > 0 || i == 0; i++)
        {
            var size = Math.Min(sizes[i % sizes.Length], rest.Length);

            // Memory of its own: whoever reads beyond a piece must not find the next one there by chance.
            pieces.Add(rest[..size].ToArray());
            rest = rest[size..];
        }

        return Join(pieces);
    }
}
