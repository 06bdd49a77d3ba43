using System.Buffers;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Loans.Tests.Memory;

/// <summary>The life of a loan.</summary>
public sealed class LoanedTests
{
    private readonly LoanPool _pool = new(new LoanPoolOptions { FindMisuse = false });

    [Fact]
    public void Create_WithLength_IsFilledInPlace()
    {
        using var loan = Loaned.Create(new WaferMap { Lot = "a" }, 100_000, _pool);
        Assert.Equal(100_000, loan.Memory.Length);

        loan.Memory.Span.Fill(9);

        Assert.True(loan.Payload.IsSingleSegment);
        Assert.Equal(100_000, loan.PayloadLength);
        Assert.False(loan.Payload.FirstSpan.ContainsAnyExcept((byte)9));
    }

    [Fact]
    public void Create_WithLengthOfNothing_LendsNothing()
    {
        using var loan = Loaned.Create(new WaferMap(), 0, _pool);

        Assert.Equal((0, true, 0), (loan.Memory.Length, loan.Payload.IsEmpty, _pool.LoanedBytes));
    }

    [Fact]
    public void Create_ByWriter_HasWhatWasWritten()
    {
        var expected = new byte[3_000_000];
        new Random(1).NextBytes(expected);

        using var loan = Loaned.Create(
            new WaferMap(),
            writer =>
            {
                var random = new Random(2);
                for (var written = 0; written < expected.Length;)
                {
                    var count = Math.Min(random.Next(0, 50_000), expected.Length - written);
                    expected.AsSpan(written, count).CopyTo(writer.GetSpan(count));
                    writer.Advance(count);
                    written += count;
                }
            },
            _pool);

        Assert.Equal(expected, loan.Payload.ToArray());
        Assert.Throws<InvalidOperationException>(() => loan.Memory);
    }

    [Fact]
    public void Create_ByWriterThatIsKept_CannotBeWrittenAnyMore()
    {
        IBufferWriter<byte>? kept = null;

        using var loan = Loaned.Create(new WaferMap(), writer => kept = writer, _pool);

        Assert.Equal(0, loan.PayloadLength);
        Assert.Throws<InvalidOperationException>(() => kept!.GetSpan(1));
        Assert.Throws<InvalidOperationException>(() => kept!.Advance(0));
    }

    [Fact]
    public void Create_ByWriterThatAdvancesTooFar_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Loaned.Create(
            new WaferMap(), static writer => writer.Advance(writer.GetSpan(1).Length + 1), _pool));

        Assert.Equal(0, _pool.LoanedBytes);
    }

    [Fact]
    public void Create_OverMemoryOfTheCaller_LendsNothing()
    {
        var own = new byte[] { 1, 2, 3 };

        using var loan = Loaned.Create(new WaferMap(), new ReadOnlySequence<byte>(own));
        own[0] = 9;

        Assert.Equal([9, 2, 3], loan.Payload.ToArray());
        Assert.Throws<InvalidOperationException>(() => loan.Memory);
    }

    [Fact]
    public void Dispose_Ends()
    {
        var loan = Loaned.Create(new WaferMap { Lot = "a" }, 10, _pool);

        loan.Dispose();

        Assert.Throws<ObjectDisposedException>(() => loan.Payload);
        Assert.Throws<ObjectDisposedException>(() => loan.Memory);
        Assert.Throws<ObjectDisposedException>(loan.Keep);
        Assert.Equal(("a", 0), (loan.Message.Lot, _pool.LoanedBytes));
    }

    [Fact]
    public void Dispose_OfMemoryOfTheCaller_Ends()
    {
        var loan = Loaned.Create(new WaferMap(), new ReadOnlySequence<byte>(new byte[1]));

        loan.Dispose();

        Assert.Throws<ObjectDisposedException>(() => loan.Payload);
    }

    [Fact]
    public void CallsEnd_Ends()
    {
        var loan = Loaned.Create(new WaferMap(), 10, _pool);

        ((ICallBound)loan).EndWithCall();
        ((ICallBound)loan).EndWithCall();
        loan.Dispose();

        var exception = Assert.Throws<ObjectDisposedException>(() => loan.Payload);
        Assert.Contains("disposed of", exception.Message, StringComparison.Ordinal);
        Assert.Equal((0, 4096), (_pool.LoanedBytes, _pool.KeptBytes));
    }

    [Fact]
    public void CallsEnd_SaysHowToKeepTheLoan()
    {
        var loan = Loaned.Create(new WaferMap(), 10, _pool);

        ((ICallBound)loan).EndWithCall();

        var exception = Assert.Throws<ObjectDisposedException>(() => loan.Payload);
        Assert.Contains("Keep()", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(loan.Keep);
    }

    [Fact]
    public void CallsEnd_OfALoanThatIsKept_DoesNotEndIt()
    {
        var loan = Loaned.Create(new WaferMap(), 10, _pool);

        Assert.Same(loan, loan.Keep());
        Assert.Same(loan, loan.Keep());
        ((ICallBound)loan).EndWithCall();

        Assert.Equal(10, loan.Payload.Length);
        loan.Dispose();
        Assert.Equal(0, _pool.LoanedBytes);
    }

    [Fact]
    public void Dispose_WhileItIsSent_WaitsForTheEndOfIt()
    {
        var loan = Loaned.Create(new WaferMap(), 10, _pool);
        loan.BeginSending();
        loan.BeginSending();

        loan.Dispose();
        loan.EndSending();

        Assert.Equal((4096, 0), (_pool.LoanedBytes, _pool.KeptBytes));
        loan.EndSending();
        Assert.Equal((0, 4096), (_pool.LoanedBytes, _pool.KeptBytes));
    }

    [Fact]
    public async Task Ends_OfManyThreads_GiveTheMemoryBackOnce()
    {
        for (var i = 0; i < 200; i++)
        {
            var loan = Loaned.Create(new WaferMap(), 10, _pool);
            using var start = new Barrier(3);

            await TimeLimit.OnThreads(
                () =>
                {
                    start.SignalAndWait();
                    loan.Dispose();
                },
                () =>
                {
                    start.SignalAndWait();
                    ((ICallBound)loan).EndWithCall();
                },
                () =>
                {
                    start.SignalAndWait();
                    try
                    {
                        loan.BeginSending();
                        loan.EndSending();
                    }
                    catch (ObjectDisposedException)
                    {
                        // The others were faster.
                    }
                });

            Assert.Equal((0, 4096), (_pool.LoanedBytes, _pool.KeptBytes));
        }
    }
}
