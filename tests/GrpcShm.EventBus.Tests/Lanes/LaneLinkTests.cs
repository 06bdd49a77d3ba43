using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using GrpcShm.EventBus.Client;
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
    public void Fill_EventsThatFillEachFrame_AnswersAreWrittenAllTheSame()
    {
        _events.Large = NewEvent(100_000);
        _link.NoteOwed(1);
        _link.Answer(new Acknowledgement { Number = 5 });

        _link.Start();
        _connection.Writer.EndFlush(isCompleted: false);

        var frames = _connection.Writer.TakeFrames();
        Assert.Equal(5ul, Assert.Single(frames[0].Outcomes).Number);
        Assert.Empty(frames[0].Deliveries);
        Assert.Equal((1, 0), (frames[1].Deliveries.Count, frames[1].Outcomes.Count));

        // Answers come again, and an event has waited for a frame of its own: both get on.
        _link.Answer(new Acknowledgement { Number = 6 });
        _connection.Writer.EndFlush(isCompleted: false);
        _link.Answer(new Acknowledgement { Number = 7 });
        _connection.Writer.EndFlush(isCompleted: false);
        frames = _connection.Writer.TakeFrames();
        Assert.Equal(6ul, Assert.Single(frames[0].Outcomes).Number);
        Assert.Single(frames[1].Deliveries);
        _link.Close();
        _connection.Writer.EndFlush(isCompleted: false);
    }

    [Fact]
    public void Fill_AnswersThatFillEachFrame_EventsAndAcceptancesAreWrittenAllTheSame()
    {
        for (ulong number = 1; number <= 3; number++)
        {
            _link.NoteOwed(1);
            _link.Answer(new Acknowledgement { Number = number, Message = new string('x', 3_000_000) });
        }

        _link.Start();
        _events.Large = NewEvent(1);
        _connection.Write(new LaneFrame { Deliveries = { new Delivery { Number = 1, Event = new Event() } } });
        for (var i = 0; i < 3; i++)
        {
            _connection.Writer.EndFlush(isCompleted: false);
        }

        var frames = _connection.Writer.TakeFrames();
        Assert.Equal([1, 0, 1, 0], frames.Select(static frame => frame.Outcomes.Count));
        Assert.Equal([0, 1, 0, 1], frames.Select(static frame => frame.Deliveries.Count));
        Assert.Equal([0ul, 0ul, 1ul, 0ul], frames.Select(static frame => frame.AcceptedThrough));
        Assert.Single(frames[0].Credits);
        _link.Close();
        _connection.Writer.EndFlush(isCompleted: false);
    }

    [Fact]
    public void Fill_WhileAnEventIsGivenBack_NothingIsSaidToBeTakenBeforeThat()
    {
        // More answers than one frame holds, and the one that gives an event back is the last one.
        for (ulong number = 1; number <= 2; number++)
        {
            _link.NoteOwed(1);
            _link.Answer(new Acknowledgement { Number = number, Message = new string('x', 70_000) });
        }

        _link.Reroute(3);
        _link.Start();
        _connection.Write(new LaneFrame { Deliveries = { new Delivery { Number = 1, Event = new Event() } } });
        for (var i = 0; i < 3; i++)
        {
            _connection.Writer.EndFlush(isCompleted: false);
        }

        var through = 0ul;
        foreach (var frame in _connection.Writer.TakeFrames())
        {
            Assert.True(through == 0 || !frame.Outcomes.Any(static outcome => outcome.Rerouted));
            through = Math.Max(through, frame.AcceptedThrough);
        }

        Assert.Equal(1ul, through);
        _link.Close();
    }

    [Fact]
    public async Task Fill_EventsComeAndComeOnAWakersThread_ItIsLetGo()
    {
        _events.Large = NewEvent(1);
        _connection.Writer.IsFast = true;

        await Task.Run(_link.Start).InTime();

        _link.Close();
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

    private static PendingEvent NewEvent(int bytes)
    {
        var encoded = new Event { Payload = ByteString.CopyFrom(new byte[bytes]) }.ToByteArray();
        return new PendingEvent(
            new EventNames("A", "X", "E"), new EncodedSend(encoded, encoded.Length, encoded.Length, default));
    }

    private sealed class HookedEvents : ILaneEvents
    {
        private ulong _number;

        /// <summary>An event that is there to be written again and again; or none.</summary>
        public PendingEvent? Large { get; set; }

        public Action? TakesAnswers { get; set; }

        public int Ends { get; private set; }

        public IThreadPoolWorkItem? Deliver(ClientLane lane, ReadOnlySpan<IncomingDelivery> deliveries) => null;

        public void TakeAnswers(ClientLane lane, IncomingFrame frame) => TakesAnswers?.Invoke();

        public LaneSends TakeSends(
            ClientLane lane, List<LaneSend> destination, int maxCount, int maxBytes, bool mayBeLarge)
        {
            if (Large is null)
            {
                return LaneSends.Idle;
            }

            if (Large.Size > maxBytes && !mayBeLarge)
            {
                return LaneSends.LargeNext;
            }

            Large.Hold();
            destination.Add(new LaneSend(Large, ++_number, 1, 1));
            return LaneSends.Busy;
        }

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
        private readonly ArrayBufferWriter<byte> _written = new();
        private TaskCompletionSource<FlushResult>? _flush;

        /// <summary>True if each flush ends at once.</summary>
        public bool IsFast { get; set; }

        public bool IsFlushing => _flush is not null;

        public bool IsCompleted { get; private set; }

        public Action? FlushIsCanceled { get; set; }

        public void EndFlush(bool isCompleted)
        {
            var flush = _flush!;
            _flush = null;
            flush.SetResult(new FlushResult(isCanceled: false, isCompleted));
        }

        /// <summary>Takes what was written.</summary>
        public List<LaneFrame> TakeFrames()
        {
            var frames = new List<LaneFrame>();
            var rest = new ReadOnlySequence<byte>(_written.WrittenMemory.ToArray());
            while (LaneFrames.TryTake(ref rest, int.MaxValue, out var bytes))
            {
                frames.Add(LaneFrame.Parser.ParseFrom(bytes.ToArray()));
            }

            _written.Clear();
            return frames;
        }

        public override void Advance(int bytes) => _written.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _written.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => _written.GetSpan(sizeHint);

        public override void CancelPendingFlush() => FlushIsCanceled?.Invoke();

        public override void Complete(Exception? exception = null) => IsCompleted = true;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            if (IsFast)
            {
                _written.Clear();
                return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: false));
            }

            // Not elsewhere: what follows a flush happens before EndFlush returns.
            _flush = new TaskCompletionSource<FlushResult>();
            return new ValueTask<FlushResult>(_flush.Task);
        }
    }
}
