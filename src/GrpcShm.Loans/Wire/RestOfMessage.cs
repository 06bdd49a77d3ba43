using System.Buffers;

namespace GrpcShm.Loans.Wire;

/// <summary>
/// The fields of a message besides its payload, in their order. They stay where they lie: what lies on both sides of a
/// payload is linked, and not copied.
/// </summary>
internal struct RestOfMessage
{
    private ReadOnlySequence<byte> _only;
    private Segment? _first;
    private Segment? _last;

    /// <summary>All pieces that were added, one behind the other.</summary>
    public readonly ReadOnlySequence<byte> Content => _first is null
        ? _only
        : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    /// <summary>Adds the next piece.</summary>
    public void Add(in ReadOnlySequence<byte> piece)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (_first is null && _only.IsEmpty)
        {
            _only = piece;
            return;
        }

        if (_first is null)
        {
            Link(_only);
        }

        Link(piece);
    }

    private void Link(in ReadOnlySequence<byte> piece)
    {
        foreach (var memory in piece)
        {
            _last = new Segment(memory, _last);
            _first ??= _last;
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
