using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Memory;

/// <summary>The bounds of a pool, and what it finds of misuse.</summary>
public sealed class LoanPoolTests
{
    private const int KiB = 1024;

    private readonly ConcurrentQueue<string> _misuse = new();

    [Fact]
    public void Loan_DisposedOf_IsKeptForTheNext()
    {
        var pool = Create();
        var first = Loan(pool, 64 * KiB);
        Assert.Equal((64 * KiB, 0), (pool.LoanedBytes, pool.KeptBytes));
        first.Memory.Span.Fill(5);
        first.Dispose();
        Assert.Equal((0, 64 * KiB), (pool.LoanedBytes, pool.KeptBytes));

        using var second = Loan(pool, 64 * KiB);

        Assert.Equal((64 * KiB, 0), (pool.LoanedBytes, pool.KeptBytes));
        Assert.False(second.Memory.Span.ContainsAnyExcept((byte)5));
    }

    [Fact]
    public void Kept_BeyondTheBound_IsLeftToTheGarbageCollectorOldestFirst()
    {
        var pool = Create(maxKept: 100 * KiB);
        var (small, large, other) = (Loan(pool, 32 * KiB), Loan(pool, 64 * KiB), Loan(pool, 16 * KiB));

        small.Dispose();
        large.Dispose();
        other.Dispose();

        Assert.Equal((0, 80 * KiB), (pool.LoanedBytes, pool.KeptBytes));
        using var again = Loan(pool, 32 * KiB);
        Assert.Equal(80 * KiB, pool.KeptBytes);
    }

    [Fact]
    public void Kept_LargerThanTheBound_IsNotKept()
    {
        var pool = Create(maxKept: 0);

        Loan(pool, 10).Dispose();

        Assert.Equal((0, 0), (pool.LoanedBytes, pool.KeptBytes));
    }

    [Fact]
    public void Loan_BeyondTheBound_IsResourceExhaustedUntilOneIsGivenBack()
    {
        var pool = Create(maxLoaned: 100 * KiB);
        var first = Loan(pool, 64 * KiB);

        var exception = Assert.Throws<RpcException>(() => Loan(pool, 64 * KiB));

        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Contains("65,536", exception.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("102,400", exception.Status.Detail, StringComparison.Ordinal);
        first.Dispose();
        Loan(pool, 64 * KiB).Dispose();
        Assert.Equal(0, pool.LoanedBytes);
    }

    [Fact]
    public void Write_Fails_GivesAllMemoryBack()
    {
        var pool = Create();

        Assert.Throws<InvalidDataException>(() => Loaned.Create(
            new WaferMap(),
            writer =>
            {
                writer.GetSpan(200 * KiB);
                writer.Advance(200 * KiB);
                writer.GetSpan(200 * KiB);
                throw new InvalidDataException();
            },
            pool));

        Assert.Equal(0, pool.LoanedBytes);
    }

    [Fact]
    public void Write_BeyondTheBound_GivesAllMemoryBack()
    {
        var pool = Create(maxLoaned: 300 * KiB);

        Assert.Throws<RpcException>(() => Loaned.Create(
            new WaferMap(),
            static writer =>
            {
                while (true)
                {
                    writer.GetSpan(1);
                    writer.Advance(KiB);
                }
            },
            pool));

        Assert.Equal(0, pool.LoanedBytes);
    }

    [Fact]
    public async Task Loan_Forgotten_IsNotLostToTheBoundAndIsCounted()
    {
        var pool = Create(findMisuse: true);
        Forget(pool);

        await TimeLimit.UntilAsync(() => Collect(pool));

        Assert.Equal((0, 0), (pool.LoanedBytes, pool.KeptBytes));
        await TimeLimit.UntilAsync(() => !_misuse.IsEmpty);
        Assert.Contains("was forgotten", Assert.Single(_misuse), StringComparison.Ordinal);
        Assert.Contains(nameof(Forget), Assert.Single(_misuse), StringComparison.Ordinal);
    }

    [Fact]
    public void Loan_ForgottenWhileItsPayloadIsRead_StaysOnLoan()
    {
        var pool = Create();
        var payload = Loan(pool, 10).Payload;
        for (var i = 0; i < 3; i++)
        {
            Collect(pool);
        }

        Assert.Equal(0, pool.ForgottenLoans);
        Assert.Equal(10, payload.ToArray().Length);
    }

    [Fact]
    public void FindMisuse_ReadAfterTheEnd_Throws()
    {
        var pool = Create(findMisuse: true);
        var loan = Loan(pool, 10);
        var payload = loan.Payload;
        var memory = loan.Memory;
        Assert.Equal(10, payload.FirstSpan.Length);

        loan.Dispose();

        var exception = Assert.Throws<ObjectDisposedException>(() => payload.First.Span.Length);
        Assert.Contains(nameof(FindMisuse_ReadAfterTheEnd_Throws), exception.Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
    }

    [Fact]
    public void FindMisuse_WriteAfterTheEnd_IsTold()
    {
        var pool = Create(findMisuse: true);
        var loan = Loan(pool, 10);
        var span = loan.Memory.Span;
        loan.Dispose();
        Assert.False(span.ContainsAnyExcept((byte)0xDB));
        span[3] = 1;

        Loan(pool, 10).Dispose();

        var told = Assert.Single(_misuse);
        Assert.Contains("was changed after", told, StringComparison.Ordinal);
        Assert.Contains(nameof(FindMisuse_WriteAfterTheEnd_IsTold), told, StringComparison.Ordinal);
    }

    [Fact]
    public void FindMisuse_DisposedOfTwice_IsTold()
    {
        var pool = Create(findMisuse: true);
        var loan = Loan(pool, 10);

        loan.Dispose();
        loan.Dispose();

        Assert.Contains("disposed of twice", Assert.Single(_misuse), StringComparison.Ordinal);
        Assert.Equal((0, 4096), (pool.LoanedBytes, pool.KeptBytes));
    }

    [Fact]
    public void NoMisuse_IsFound_UnlessAsked()
    {
        var pool = Create();
        var loan = Loan(pool, 10);

        loan.Dispose();
        loan.Dispose();

        Assert.Empty(_misuse);
        Assert.Equal((0, 4096), (pool.LoanedBytes, pool.KeptBytes));
    }

    [Fact]
    public async Task Loans_OfManyThreads_AllComeBackAndAreNeverShared()
    {
        var pool = Create(maxKept: 256 * KiB);

        await TimeLimit.OnThreads([.. Enumerable.Range(1, 4).Select(number => (Action)(() =>
        {
            var random = new Random(number);
            for (var i = 0; i < 5_000; i++)
            {
                using var loan = Loan(pool, random.Next(1, 64 * KiB));
                loan.Memory.Span.Fill((byte)number);
                Thread.Yield();
                Assert.False(loan.Memory.Span.ContainsAnyExcept((byte)number));
            }
        }))]);

        Assert.Equal(0, pool.LoanedBytes);
        Assert.InRange(pool.KeptBytes, 1, 256 * KiB);
    }

    [Fact]
    public void Options_WrongValues_AreRefused()
    {
        var options = new LoanPoolOptions();

        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxKeptBytes = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxLoanedBytes = 0);
        Assert.Equal((64 * KiB * KiB, 1024 * KiB * KiB), (options.MaxKeptBytes, options.MaxLoanedBytes));
    }

    private static Loaned<WaferMap> Loan(LoanPool pool, int length) => Loaned.Create(new WaferMap(), length, pool);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(LoanPool pool) => Loan(pool, 10);

    private static bool Collect(LoanPool pool)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return pool.ForgottenLoans == 1;
    }

    private LoanPool Create(long maxKept = 1 << 20, long maxLoaned = 1 << 20, bool findMisuse = false) => new(
        new LoanPoolOptions
        {
            MaxKeptBytes = maxKept,
            MaxLoanedBytes = maxLoaned,
            FindMisuse = findMisuse,
            OnMisuse = _misuse.Enqueue,
        });
}
