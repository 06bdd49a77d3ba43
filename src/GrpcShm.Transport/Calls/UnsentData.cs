using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been flushed and is not in the ring yet: first what is kept here, then what has been
/// written since and goes in the same attempt, then what a writer has lent. Under the gate of the call.
/// </summary>
internal sealed class UnsentData
{
    private readonly SpillBuffer _kept = new();
    private ReadOnlyMemory<byte> _borrowed;

    /// <summary>Whether there is none, but for what has been written since.</summary>
    public bool IsEmpty => _kept.IsEmpty && _borrowed.IsEmpty;

    /// <summary>How much there is.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public long LengthWith(SpillBuffer? written) => _kept.Length + _borrowed.Length + (written?.Length ?? 0);

    /// <summary>The first piece, which is empty if there is none.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public ReadOnlySpan<byte> FirstWith(SpillBuffer? written) =>
        !_kept.IsEmpty ? _kept.First : written is { IsEmpty: false } ? written.First : _borrowed.Span;

    /// <summary>A part of the first piece has gone.</summary>
    /// <param name="count">How many bytes, more than none.</param>
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
            _borrowed = _borrowed[count..];
        }
    }

    /// <summary>Keeps what has been written, behind what is kept.</summary>
    public void Keep(SpillBuffer written) => _kept.TakeAll(written);

    /// <summary>
    /// Takes a loan, which goes behind all that has been written before. The lender waits until it is over.
    /// </summary>
    public void Borrow(ReadOnlyMemory<byte> data, SpillBuffer written)
    {
        _kept.TakeAll(written);
        _borrowed = data;
    }

    /// <summary>Gives a loan back, of which nothing is to be sent any more.</summary>
    public void ForgetBorrowed() => _borrowed = default;

    /// <summary>Gives a loan back, and keeps a copy of what has not been sent of it.</summary>
    public void KeepBorrowed()
    {
        if (!_borrowed.IsEmpty)
        {
            _borrowed.CopyTo(_kept.GetMemory(_borrowed.Length));
            _kept.Advance(_borrowed.Length);
            _borrowed = default;
        }
    }

    /// <summary>Drops all of it.</summary>
    public void Clear()
    {
        _kept.Clear();
        _borrowed = default;
    }
}
