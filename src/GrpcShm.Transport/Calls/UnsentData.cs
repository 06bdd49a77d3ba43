using System.Buffers;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been flushed and is not in the ring yet: first the data that is kept here, then the data
/// that has been written since and is sent in the same attempt, then the data that a writer has lent. Under the gate of
/// the call.
/// </summary>
internal sealed class UnsentData
{
    private readonly SpillBuffer _kept = new();
    private ReadOnlySequence<byte> _borrowed;

    // Its length, which a sequence would have to find out each time.
    private long _borrowedLength;
    private ILentMemory? _memory;

    /// <summary>Whether there is no data except for the data that has been written since.</summary>
    public bool IsEmpty => _kept.IsEmpty && _borrowedLength == 0;

    /// <summary>Whether there is data that was lent. Without the gate it may be a moment old.</summary>
    public bool HasBorrowed => Volatile.Read(in _borrowedLength) > 0;

    /// <summary>How many bytes there are.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public long LengthWith(SpillBuffer? written) => _kept.Length + _borrowedLength + (written?.Length ?? 0);

    /// <summary>The first piece of the data; empty if there is no data.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public ReadOnlySpan<byte> FirstWith(SpillBuffer? written) =>
        !_kept.IsEmpty ? _kept.First : written is { IsEmpty: false } ? written.First : _borrowed.FirstSpan;

    /// <summary>Removes a part of the first piece, which has been sent.</summary>
    /// <param name="count">How many bytes; more than 0.</param>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public void Consume(int count, SpillBuffer? written)
    {
        if (!_kept.IsEmpty)
        {
            _kept.Consume(count);
        }
        else if (written is { IsEmpty: false })
        {
            written.Consume(count);
        }
        else
        {
            SetBorrowed(_borrowed.Slice(count), _borrowedLength - count);
        }
    }

    /// <summary>Keeps written data, behind the data that is kept already.</summary>
    public void Keep(SpillBuffer written) => _kept.TakeAll(written);

    /// <summary>
    /// Borrows data, which is sent behind all data that was written before. The lender waits until it is given back, or
    /// is told by the end of its use.
    /// </summary>
    public void Borrow(in Lent lent, SpillBuffer written)
    {
        KeepBorrowed();
        _kept.TakeAll(written);
        _memory = lent.Memory;
        SetBorrowed(lent.Data, lent.Data.Length);
    }

    /// <summary>Gives borrowed data back, since it is not to be sent any more.</summary>
    public void ForgetBorrowed() => SetBorrowed(default, 0);

    /// <summary>Gives borrowed data back, and keeps a copy of the part that has not been sent.</summary>
    public void KeepBorrowed()
    {
        // Piece by piece, so that nothing is there twice if there is no memory for the next one.
        while (_borrowedLength > 0)
        {
            var piece = _borrowed.FirstSpan;
            _kept.Add(piece);
            SetBorrowed(_borrowed.Slice(piece.Length), _borrowedLength - piece.Length);
        }
    }

    /// <summary>Drops all data.</summary>
    public void Clear()
    {
        _kept.Clear();
        ForgetBorrowed();
    }

    private void SetBorrowed(ReadOnlySequence<byte> data, long length)
    {
        // A piece may be empty, and the first one must not be if there is data.
        while (length > 0 && data.FirstSpan.IsEmpty)
        {
            var position = data.Start;
            data.TryGet(ref position, out _);
            data = data.Slice(position);
        }

        // An empty slice would keep the memory alive.
        _borrowed = length > 0 ? data : default;
        Volatile.Write(ref _borrowedLength, length);
        if (length == 0 && _memory is { } memory)
        {
            _memory = null;
            memory.Leave();
        }
    }
}
