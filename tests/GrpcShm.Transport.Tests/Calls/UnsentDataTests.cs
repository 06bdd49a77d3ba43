using System.Buffers;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>The order in which kept, written and borrowed data is sent.</summary>
public sealed class UnsentDataTests
{
    private readonly UnsentData _unsent = new();
    private readonly SpillBuffer _written = new();

    [Fact]
    public void Consume_KeptWrittenAndLent_GoInThatOrder()
    {
        Write(1, 2);
        Lend(5, 6);
        Write(3, 4);

        // Borrowed data is sent behind data that was written before. The lender should write nothing meanwhile; if it
        // does, the borrowed data is still last.
        Assert.Equal(6, _unsent.LengthWith(_written));
        Assert.Equal([1, 2, 3, 4, 5, 6], TakeAll(_written, piece: 1));
        Assert.True(_unsent.IsEmpty && _written.IsEmpty);
    }

    [Fact]
    public void FirstWith_NothingIsWrittenAlong_LeavesThatAlone()
    {
        Write(1);

        Assert.True(_unsent.FirstWith(null).IsEmpty);
        Assert.Equal(0, _unsent.LengthWith(null));
        _unsent.Keep(_written);
        Assert.Equal([1], TakeAll(null, piece: 10));
    }

    [Fact]
    public void KeepBorrowed_PartHasGone_KeepsACopyOfTheRest()
    {
        var lent = new byte[] { 1, 2, 3 };
        _unsent.Borrow(new Lent(new ReadOnlySequence<byte>(lent)), _written);
        _unsent.Consume(1, null);

        _unsent.KeepBorrowed();
        lent.AsSpan().Clear();

        Assert.Equal([2, 3], TakeAll(null, piece: 1));
    }

    [Fact]
    public void ForgetBorrowed_SomethingIsKept_LeavesThat()
    {
        Write(1);
        Lend(2);

        _unsent.ForgetBorrowed();

        Assert.Equal([1], TakeAll(null, piece: 1));
    }

    [Fact]
    public void Clear_AllKinds_LeavesNothing()
    {
        Write(1);
        Lend(2);

        _unsent.Clear();

        Assert.True(_unsent.IsEmpty);
    }

    [Fact]
    public void Consume_LentInPieces_TellsTheLenderOnceWhenAllHasGone()
    {
        var memory = new Memory();
        var lent = Pieces.Join([], [1, 2], [], [], [3], [], [4, 5], []);
        Write(0);
        _unsent.Borrow(new Lent(lent, memory), _written);

        var sent = new List<byte>();
        while (!_unsent.IsEmpty)
        {
            Assert.Equal(0, memory.Left);
            var first = _unsent.FirstWith(null);
            Assert.False(first.IsEmpty);
            sent.Add(first[0]);
            _unsent.Consume(1, null);
        }

        Assert.Equal([0, 1, 2, 3, 4, 5], sent);
        Assert.Equal(1, memory.Left);
        _unsent.Clear();
        Assert.Equal(1, memory.Left);
    }

    [Theory]
    [InlineData("forget")]
    [InlineData("keep")]
    [InlineData("clear")]
    [InlineData("lend")]
    public void Lent_ThatIsGivenBack_IsToldToTheLenderOnce(string way)
    {
        var memory = new Memory();
        _unsent.Borrow(new Lent(Pieces.Join([1], [2], [3]), memory), _written);
        _unsent.Consume(1, null);
        Assert.Equal(0, memory.Left);

        switch (way)
        {
            case "forget":
                _unsent.ForgetBorrowed();
                break;
            case "keep":
                _unsent.KeepBorrowed();
                break;
            case "clear":
                _unsent.Clear();
                break;
            default:
                Lend(4);
                break;
        }

        Assert.Equal(1, memory.Left);
        byte[] rest = way switch { "keep" => [2, 3], "lend" => [2, 3, 4], _ => [] };
        Assert.Equal(rest, TakeAll(null, piece: 2));
        Assert.Equal(1, memory.Left);
    }

    private void Lend(params byte[] bytes) =>
        _unsent.Borrow(new Lent(new ReadOnlySequence<byte>(bytes)), _written);

    private void Write(params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_written.GetMemory(bytes.Length).Span);
        _written.Advance(bytes.Length);
    }

    private List<byte> TakeAll(SpillBuffer? written, int piece)
    {
        var bytes = new List<byte>();
        while (_unsent.LengthWith(written) > 0)
        {
            var first = _unsent.FirstWith(written);
            var count = Math.Min(piece, first.Length);
            bytes.AddRange(first[..count]);
            _unsent.Consume(count, written);
        }

        return bytes;
    }

    private sealed class Memory : ILentMemory
    {
        public int Left { get; private set; }

        public void Leave() => Left++;
    }
}
