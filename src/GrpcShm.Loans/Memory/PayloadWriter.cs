using System.Buffers;
using System.Runtime.InteropServices;

namespace GrpcShm.Loans.Memory;

/// <summary>Writes a payload of unknown length into memory of a pool, piece by piece. One thread at a time.</summary>
internal sealed class PayloadWriter(LoanPool pool) : IBufferWriter<byte>
{
    private const int LeastPiece = 16 * 1024;
    private const int LargestPiece = 1024 * 1024;

    private readonly List<byte[]> _pieces = [];
    private readonly List<int> _lengths = [];
    private int _room;
    private bool _isOver;

    public void Advance(int count)
    {
        ThrowIfOver();
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _room);
        if (count > 0)
        {
            _lengths[^1] += count;
            _room -= count;
        }
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfOver();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_room < Math.Max(sizeHint, 1))
        {
            var last = _pieces.Count == 0 ? 0 : _pieces[^1].Length;
            var piece = pool.Rent(Math.Max(sizeHint, Math.Clamp(2 * last, LeastPiece, LargestPiece)));
            _pieces.Add(piece);
            _lengths.Add(0);
            _room = piece.Length;
        }

        return _pieces[^1].AsMemory(_lengths[^1], _room);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Ends the writing.</summary>
    /// <returns>The memory of what was written.</returns>
    public PayloadMemory Complete()
    {
        _isOver = true;
        return new PayloadMemory(pool, [.. _pieces], CollectionsMarshal.AsSpan(_lengths));
    }

    /// <summary>Ends the writing, and gives the memory back.</summary>
    public void Drop()
    {
        _isOver = true;
        foreach (var piece in _pieces)
        {
            pool.Return(piece, null);
        }
    }

    private void ThrowIfOver()
    {
        if (_isOver)
        {
            throw new InvalidOperationException("The payload is complete. It can only be written by the callback.");
        }
    }
}
