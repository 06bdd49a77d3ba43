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
    private ReadOnlyMemory<byte> _borrowed;

    /// <summary>Whether there is no data except for the data that has been written since.</summary>
    public bool IsEmpty => _kept.IsEmpty && _borrowed.IsEmpty;

    /// <summary>How many bytes there are.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public long LengthWith(SpillBuffer? written) => _kept.Length + _borrowed.Length + (written?.Length ?? 0);

    /// <summary>The first piece of the data; empty if there is no data.</summary>
    /// <param name="written">What has been written since, if it goes, too.</param>
    public ReadOnlySpan<byte> FirstWith(SpillBuffer? written) =>
        !_kept.IsEmpty ? _kept.First : written is { IsEmpty: false } ? written.First : _borrowed.Span;

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
            _borrowed = _borrowed[count..];
        }
    }

    /// <summary>Keeps written data, behind the data that is kept already.</summary>
    public void Keep(SpillBuffer written) => _kept.TakeAll(written);

    /// <summary>
    /// Borrows data, which is sent behind all data that was written before. The lender waits until it is given back.
    /// </summary>
    public void Borrow(ReadOnlyMemory<byte> data, SpillBuffer written)
    {
        _kept.TakeAll(written);
        _borrowed = data;
    }

    /// <summary>Gives borrowed data back, since it is not to be sent any more.</summary>
    public void ForgetBorrowed() => _borrowed = default;

    /// <summary>Gives borrowed data back, and keeps a copy of the part that has not been sent.</summary>
    public void KeepBorrowed()
    {
        if (!_borrowed.IsEmpty)
        {
            _borrowed.CopyTo(_kept.GetMemory(_borrowed.Length));
            _kept.Advance(_borrowed.Length);
            _borrowed = default;
        }
    }

    /// <summary>Drops all data.</summary>
    public void Clear()
    {
        _kept.Clear();
        _borrowed = default;
    }
}
