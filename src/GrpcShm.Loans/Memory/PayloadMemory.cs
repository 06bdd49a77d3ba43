using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Loans.Memory;

/// <summary>
/// The memory of a payload. It is given back when its loan has ended and nobody sends it any more. Any thread.
/// </summary>
/// <remarks>
/// <c>_uses</c> counts the loan itself and each sending, by compare-and-swap. Whoever makes it 0 gives the memory back,
/// alone: from 0 it never rises again. So memory that is being sent is never given back below the sender.
/// </remarks>
internal sealed class PayloadMemory : ILentMemory
{
    private readonly LoanPool? _pool;
    private readonly byte[][] _pieces = [];
    private readonly IDisposable? _owner;
    private readonly string? _madeAt;
    private readonly long _size;
    private int _uses = 1;

    /// <summary>Memory of a pool, in pieces.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="pieces">The pieces, which belong to this object from now on.</param>
    /// <param name="lengths">How much of each piece is used.</param>
    public PayloadMemory(LoanPool pool, byte[][] pieces, ReadOnlySpan<int> lengths)
    {
        _pool = pool;
        _pieces = pieces;
        _madeAt = pool.FindsMisuse ? Environment.StackTrace : null;
        PayloadSegment? first = null;
        PayloadSegment? last = null;
        for (var i = 0; i < pieces.Length; i++)
        {
            var all = pool.FindsMisuse ? new GuardedMemory(this, pieces[i]).Memory : pieces[i];
            var memory = all[..lengths[i]];
            Writable = memory;
            last = new PayloadSegment(this, memory, last);
            first ??= last;
            _size += pieces[i].Length;
        }

        Content = first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
        if (pieces.Length == 0)
        {
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Memory that belongs to somebody else.</summary>
    public PayloadMemory(in ReadOnlySequence<byte> content)
    {
        Content = content;
        GC.SuppressFinalize(this);
    }

    /// <summary>Memory that was handed over, and that counts in a pool.</summary>
    /// <param name="pool">The pool. It has counted the memory as on loan.</param>
    /// <param name="content">The payload, which is a part of the memory.</param>
    /// <param name="owner">Gives the memory back.</param>
    /// <param name="size">The size of the memory in bytes.</param>
    public PayloadMemory(LoanPool pool, in ReadOnlySequence<byte> content, IDisposable owner, int size)
    {
        _pool = pool;
        _owner = owner;
        _size = size;
        _madeAt = pool.FindsMisuse ? Environment.StackTrace : null;
        PayloadSegment? first = null;
        PayloadSegment? last = null;
        foreach (var memory in content)
        {
            last = new PayloadSegment(this, memory, last);
            first ??= last;
        }

        Content = first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    ~PayloadMemory()
    {
        // A finalizer of the program's own, which runs later, may still end the loan. Then there is nothing to do.
        if (Interlocked.Exchange(ref _uses, 0) > 0)
        {
            _pool?.Forget(_size, _madeAt);
        }
    }

    /// <summary>The payload.</summary>
    public ReadOnlySequence<byte> Content { get; }

    /// <summary>
    /// True if it may be sent from where it lies, beyond the end of the loan. Memory of somebody else's is not given
    /// back by anybody, so nobody would know when it has been sent.
    /// </summary>
    public bool CanBeShared => _pool is { FindsMisuse: false };

    /// <summary>The last piece, which is all of it if memory of one piece was asked for.</summary>
    public Memory<byte> Writable { get; }

    /// <summary>Lends memory of one piece.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="length">The length in bytes.</param>
    public static PayloadMemory Rent(LoanPool pool, int length) =>
        length == 0 ? new PayloadMemory(pool, [], []) : new PayloadMemory(pool, [pool.Rent(length)], [length]);

    /// <summary>Lends memory, and copies a payload into it.</summary>
    public static PayloadMemory Copy(LoanPool pool, in ReadOnlySequence<byte> payload)
    {
        var memory = Rent(pool, checked((int)payload.Length));
        payload.CopyTo(memory.Writable.Span);
        return memory;
    }

    /// <summary>Begins a use, so that the memory is not given back before it ends.</summary>
    /// <returns>False if the memory has been given back.</returns>
    public bool TryEnter()
    {
        var uses = Volatile.Read(ref _uses);
        while (uses > 0)
        {
            var before = Interlocked.CompareExchange(ref _uses, uses + 1, uses);
            if (before == uses)
            {
                return true;
            }

            uses = before;
        }

        return false;
    }

    /// <summary>Ends a use, or the loan itself.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            GiveBack();
        }
    }

    /// <exception cref="ObjectDisposedException">The memory has been given back.</exception>
    public void ThrowIfOver()
    {
        if (Volatile.Read(ref _uses) <= 0)
        {
            throw new ObjectDisposedException(
                "Loaned", $"The payload was given back. Its loan was made {_madeAt}");
        }
    }

    /// <summary>Tells that the loan was disposed of twice, if the pool finds misuse.</summary>
    public void TellTwice()
    {
        if (_pool is { FindsMisuse: true })
        {
            _pool.Tell($"A loan was disposed of twice. It was made {_madeAt}");
        }
    }

    [SuppressMessage("Usage", "CA1816", Justification = "The last use ends it, not a method that is called Dispose.")]
    private void GiveBack()
    {
        GC.SuppressFinalize(this);
        foreach (var piece in _pieces)
        {
            _pool!.Return(piece, _madeAt);
        }

        if (_owner is not null)
        {
            _pool!.Release(_size);
            _owner.Dispose();
        }
    }
}
