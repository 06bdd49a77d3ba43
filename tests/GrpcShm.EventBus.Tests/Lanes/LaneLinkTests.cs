using System.IO.Pipelines;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// When a lane's connection is closed: not while anybody uses it. All steps happen on the thread of the test, in the
/// order that the test says.
/// </summary>
public sealed class LaneLinkTests : IAsyncDisposable
{
    private readonly HeldConnection _connection = new();
    private readonly HookedEvents _events = new();
    private readonly LaneLink _link;

    public LaneLinkTests()
    {
        _link = new LaneLink(
            _connection, new ClientLane(new LaneIntroduction { Lane = 1 }, null!), _events, maxFrame: 1_000);

        // So the writer has something to write, and is in a flush from the beginning.
        _link.GiveCredit(new Credit { Subscription = 1, Deliveries = 1 });
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Fact]
    public void Close_WhileTheWriterIsInAFlush_ConnectionIsClosedBehindIt()
    {
        _link.Start();
        Assert.True(_connection.Writer.IsFlushing);

        _connection.EndOfOther();

        Assert.True(_link.HasEnded);
        Assert.Equal(1, _events.Ends);
        Assert.Equal(0, _connection.Closed);
        _connection.Writer.EndFlush(isCompleted: false);
        Assert.Equal(1, _connection.Closed);
        Assert.True(_connection.Writer.IsCompleted);
    }

    [Fact]
    public void Close_WhileTheReaderTakesAFrame_ConnectionIsClosedBehindIt()
    {
        _link.Start();
        var closed = -1;
        _events.TakesAnswers = () =>
        {
            _connection.Writer.EndFlush(isCompleted: true);
            closed = _connection.Closed;
        };

        _connection.Write(new LaneFrame { AcceptedThrough = 1 });

        Assert.Equal(0, closed);
        Assert.Equal(1, _connection.Closed);
        Assert.Equal(1, _events.Ends);
    }

    [Fact]
    public void Close_ReaderAndWriterEndAtOnce_ConnectionIsClosedBehindTheCaller()
    {
        _link.Start();
        var closed = -1;
        _connection.Writer.FlushIsCanceled = () =>
        {
            // The reader has been cancelled before, and the writer ends here. The caller still uses the connection.
            _connection.Writer.EndFlush(isCompleted: false);
            closed = _connection.Closed;
        };

        _link.Close();

        Assert.Equal(0, closed);
        Assert.Equal(1, _connection.Closed);
    }

    [Fact]
    public void Close_Again_DoesNothing()
    {
        _link.Start();
        _link.Close();
        _connection.Writer.EndFlush(isCompleted: false);

        _link.Close();

        Assert.Equal(1, _connection.Closed);
        Assert.Equal(0, _events.Ends);
    }

    private sealed class HookedEvents : ILaneEvents
    {
        public Action? TakesAnswers { get; set; }

        public int Ends { get; private set; }

        public IThreadPoolWorkItem? Deliver(ClientLane lane, ReadOnlySpan<IncomingDelivery> deliveries) => null;

        public void TakeAnswers(ClientLane lane, IncomingFrame frame) => TakesAnswers?.Invoke();

        public bool TakeSends(ClientLane lane, List<LaneSend> destination, int maxCount, int maxBytes) => false;

        public void Leave(ClientLane lane) => Assert.Fail("Nobody takes leave.");

        // As the client does it: the first one who finds the end lets the lane end.
        public void End(ClientLane lane, string reason) => Ends++;
    }

    // A pipe whose continuations run on the thread that causes them, and a writer whose flush ends when it is told to.
    private sealed class HeldConnection : EventLaneConnection
    {
        private readonly Pipe _input = new(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));

        public HeldWriter Writer { get; } = new();

        public int Closed { get; private set; }

        public override PipeReader Input => _input.Reader;

        public override PipeWriter Output => Writer;

        public void EndOfOther() => _input.Writer.Complete();

        public void Write(LaneFrame frame)
        {
            var writing = LaneFrames.WriteAsync(_input.Writer, frame, CancellationToken.None);
            Assert.True(writing.IsCompletedSuccessfully);
        }

        public override ValueTask DisposeAsync()
        {
            Closed++;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class HeldWriter : PipeWriter
    {
        private readonly byte[] _memory = new byte[1_000];
        private TaskCompletionSource<FlushResult>? _flush;

        public bool IsFlushing => _flush is not null;

        public bool IsCompleted { get; private set; }

        public Action? FlushIsCanceled { get; set; }

        public void EndFlush(bool isCompleted)
        {
            var flush = _flush!;
            _flush = null;
            flush.SetResult(new FlushResult(isCanceled: false, isCompleted));
        }

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override void CancelPendingFlush() => FlushIsCanceled?.Invoke();

        public override void Complete(Exception? exception = null) => IsCompleted = true;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            // Not elsewhere: what follows a flush happens before EndFlush returns.
            _flush = new TaskCompletionSource<FlushResult>();
            return new ValueTask<FlushResult>(_flush.Task);
        }
    }
}
