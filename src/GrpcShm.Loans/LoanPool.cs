using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using GrpcShm.Loans.Memory;

namespace GrpcShm.Loans;

/// <summary>
/// The memory of loans. It keeps what was given back, up to a bound, and lends no more than another bound at once. Any
/// thread.
/// </summary>
/// <remarks>
/// Under the gate: the kept memory and the counters. No other lock is taken under it, and no foreign code runs.
/// </remarks>
public sealed class LoanPool
{
    // What nobody expects to find in memory, and what is no valid text.
    private const byte Pattern = 0xDB;

    private readonly Lock _gate = new();
    private readonly Shelf[] _shelves = new Shelf[SizeClass.Count];
    private readonly long _maxKept;
    private readonly long _maxLoaned;
    private readonly Action<string>? _onMisuse;
    private long _kept;
    private long _loaned;
    private long _forgotten;
    private long _now;

    /// <summary>Creates a pool with the default bounds.</summary>
    public LoanPool()
        : this(new LoanPoolOptions())
    {
    }

    /// <summary>Creates a pool.</summary>
    /// <param name="options">Its bounds. They are read once.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public LoanPool(LoanPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _maxKept = options.MaxKeptBytes;
        _maxLoaned = options.MaxLoanedBytes;
        _onMisuse = options.OnMisuse;
        FindsMisuse = options.FindMisuse ?? LoanPoolOptions.FindsMisuseByDefault();
        for (var i = 0; i < _shelves.Length; i++)
        {
            _shelves[i] = new Shelf();
        }
    }

    /// <summary>The pool that is used where no other is named. It has the default bounds.</summary>
    public static LoanPool Shared { get; } = new();

    /// <summary>The bytes that are on loan now. Loans over memory of your own do not count.</summary>
    public long LoanedBytes
    {
        get
        {
            lock (_gate)
            {
                return _loaned;
            }
        }
    }

    /// <summary>The bytes that are kept for later loans now.</summary>
    public long KeptBytes
    {
        get
        {
            lock (_gate)
            {
                return _kept;
            }
        }
    }

    /// <summary>
    /// The loans so far that nobody has disposed of, and that the garbage collector has found. They are not on loan any
    /// more, but their memory has not come back to the pool.
    /// </summary>
    public long ForgottenLoans
    {
        get
        {
            lock (_gate)
            {
                return _forgotten;
            }
        }
    }

    /// <summary>Whether it looks for misuse.</summary>
    internal bool FindsMisuse { get; }

    /// <summary>Lends memory.</summary>
    /// <param name="length">How many bytes at least; more than 0.</param>
    /// <returns>Memory of any content.</returns>
    /// <exception cref="RpcException">No more memory may be on loan.</exception>
    internal byte[] Rent(int length)
    {
        var index = SizeClass.Find(length, out var size);
        byte[]? bytes = null;
        string? madeAt = null;
        lock (_gate)
        {
            Reserve(size);
            if (index >= 0 && (bytes = _shelves[index].TryTake(++_now, out madeAt)) is not null)
            {
                _kept -= size;
            }
        }

        if (bytes is null)
        {
            return Allocate(size);
        }

        if (FindsMisuse && bytes.AsSpan().ContainsAnyExcept(Pattern))
        {
            try
            {
                Tell($"Memory of a loan was changed after it had been given back. The loan was made {madeAt}");
            }
            catch
            {
                // Nobody gets the memory.
                Release(size);
                throw;
            }
        }

        return bytes;
    }

    /// <summary>Takes memory back.</summary>
    /// <param name="bytes">The memory.</param>
    /// <param name="madeAt">Where the loan was made, if that is known.</param>
    internal void Return(byte[] bytes, string? madeAt)
    {
        if (FindsMisuse)
        {
            bytes.AsSpan().Fill(Pattern);
        }

        var index = SizeClass.Find(bytes.Length, out _);
        lock (_gate)
        {
            _loaned -= bytes.Length;
            if (index < 0 || bytes.Length > _maxKept)
            {
                return;
            }

            var shelf = _shelves[index];
            shelf.Add(bytes, madeAt, ++_now);
            _kept += bytes.Length;
            while (_kept > _maxKept)
            {
                _kept -= FindOldest().Drop();
            }
        }
    }

    /// <summary>Counts memory as on loan that does not come from here.</summary>
    /// <returns>False if no more memory may be on loan.</returns>
    internal bool TryReserve(int size)
    {
        lock (_gate)
        {
            if (size > _maxLoaned - _loaned)
            {
                return false;
            }

            _loaned += size;
            return true;
        }
    }

    /// <summary>Ends the loan of memory that does not come from here.</summary>
    internal void Release(long size)
    {
        lock (_gate)
        {
            _loaned -= size;
        }
    }

    /// <summary>Notes that the garbage collector has found a loan. By its finalizer.</summary>
    /// <param name="size">Its memory in bytes, which is lost to the pool: somebody may still look at it.</param>
    /// <param name="madeAt">Where it was made, if that is known.</param>
    internal void Forget(long size, string? madeAt)
    {
        lock (_gate)
        {
            _loaned -= size;
            _forgotten++;
        }

        if (FindsMisuse)
        {
            // Foreign code must not run on the thread of finalizers.
            ThreadPool.UnsafeQueueUserWorkItem(
                static told => told.Pool.Tell($"A loan was forgotten, and not disposed of. It was made {told.At}"),
                (Pool: this, At: madeAt),
                preferLocal: false);
        }
    }

    /// <summary>Tells of misuse.</summary>
    internal void Tell(string misuse)
    {
        if (_onMisuse is { } told)
        {
            told(misuse);
        }
        else
        {
            Trace.TraceWarning(misuse);
        }
    }

    private byte[] Allocate(int size)
    {
        try
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }
        catch (OutOfMemoryException)
        {
            Release(size);
            throw;
        }
    }

    /// <summary>Counts memory as on loan. Under the gate.</summary>
    private void Reserve(int size)
    {
        if (size > _maxLoaned - _loaned)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, string.Create(
                CultureInfo.InvariantCulture,
                $"No memory for a payload: {_loaned:N0} bytes are on loan, and no more than {_maxLoaned:N0} may be.")));
        }

        _loaned += size;
    }

    /// <summary>The shelf with memory that was not used for the longest time. Under the gate.</summary>
    private Shelf FindOldest()
    {
        Shelf? oldest = null;
        foreach (var shelf in _shelves)
        {
            if (!shelf.IsEmpty && (oldest is null || shelf.LastUse < oldest.LastUse))
            {
                oldest = shelf;
            }
        }

        return oldest!;
    }
}
