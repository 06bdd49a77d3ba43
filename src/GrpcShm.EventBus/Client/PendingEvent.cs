using System.Buffers.Binary;
using System.Diagnostics;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A send or a publication, of which the event is encoded already. It keeps the bytes until it is answered, so that it
/// can be written to one session after the other.
/// </summary>
/// <remarks>
/// An answer may come before the write of the request has ended, and a write that does not end may read the request
/// later than that. So a send may be used again only when both have let go of it (<see cref="Release"/>).
/// </remarks>
internal sealed class PendingEvent : PendingCommand
{
    private const byte NumberTag = SessionCommand.NumberFieldNumber << 3;
    private const byte LevelTag = SessionCommand.AcknowledgementFieldNumber << 3;
    private const byte TimeoutTag = SessionCommand.TimeoutMillisecondsFieldNumber << 3;
    private const byte SendTag = (SessionCommand.SendFieldNumber << 3) | 2;
    private const byte PublishTag = (SessionCommand.PublishFieldNumber << 3) | 2;
    private const byte WaitingTag = (SessionCommand.WaitingFieldNumber << 3) | 2;
    private const byte EventTag = (Publication.EventFieldNumber << 3) | 2;
    private const byte SenderTag = (Event.SenderFieldNumber << 3) | 1;
    private const byte SequenceTag = Event.SequenceFieldNumber << 3;

    // The memory of a larger event is not used again: a few of them would fill the pool with memory that most events
    // do not need.
    private const int MostReused = 512;

    // As many as a fast sender has on their way. They take at most 1.5 MB.
    private const int MostPooled = 2048;

    private static readonly BoundedPool<PendingEvent> Shared = new(MostPooled);

    // None if it is not used again: whoever watches the deadline of a send keeps it after its answer.
    private readonly BoundedPool<PendingEvent>? _pool;

    private EncodedSend _encoded;

    // Whoever answers it, and each write.
    private int _holders = 1;
    private ulong _sender;
    private ulong _sequence;
    private int _size;

    /// <param name="names">What a failure tells of the event.</param>
    /// <param name="encoded">The event, without the sender's number and the sequence.</param>
    public PendingEvent(in EventNames names, in EncodedSend encoded)
        : this(names, encoded, pool: null)
    {
    }

    private PendingEvent(in EventNames names, in EncodedSend encoded, BoundedPool<PendingEvent>? pool) =>
        (Names, _encoded, _pool) = (names, encoded, pool);

    /// <summary>What a failure tells of the event.</summary>
    public EventNames Names { get; private set; }

    public override ulong Number { get; set; }

    public AcknowledgementLevel Level { get; set; }

    /// <summary>How long the hub waits for the acknowledgement, in milliseconds; zero: not at all.</summary>
    public uint TimeoutMilliseconds { get; set; }

    /// <summary>The audience of a publication, without its event; none of a send.</summary>
    public Publication? Publication { get; set; }

    /// <summary>What the hub is told of the handler that waits for the answer; none if no handler waits.</summary>
    public HandlerWait? Waiting { get; set; }

    /// <summary>
    /// When a send that waits for a later acknowledgement is too late, by <see cref="Environment.TickCount64"/>; zero
    /// if it has no end. As long as there is a session, the hub ends it.
    /// </summary>
    public long Deadline { get; set; }

    /// <summary>The time when it was made, for the metrics; zero if nobody measures.</summary>
    public long Started { get; set; }

    /// <summary>Its span, if anybody traces.</summary>
    public Activity? Activity { get; set; }

    /// <summary>
    /// True if this process watches its deadline: a session with it has ended. Only the client's link uses it.
    /// </summary>
    public bool IsWatched { get; set; }

    /// <summary>
    /// The lane that has it; none if the hub has it, or is to get it. The lock of the queue guards it.
    /// </summary>
    public LaneOutbox? Lane { get; set; }

    /// <summary>Its number on the lane. The lock of the queue guards it.</summary>
    public ulong LaneNumber { get; set; }

    /// <summary>The route for which it waits; or none. The lock of the queue guards it.</summary>
    public SourceRoute? HeldBy { get; set; }

    /// <summary>
    /// True if its route, or its way over a lane, has ended it: nobody else does. The lock of the queue guards it.
    /// </summary>
    public bool IsOver { get; set; }

    /// <summary>True if this process watches its deadline on a lane. The lock of the queue guards it.</summary>
    public bool IsWatchedHere { get; set; }

    /// <summary>True if a pipeline may try again: then the caller of the pipeline reports a failure.</summary>
    public bool IsAttempt { get; set; }

    /// <summary>True if it was made in the flow of a handler.</summary>
    public bool IsInHandler { get; set; }

    /// <summary>Its place among this client's events; zero before it has one.</summary>
    public ulong Sequence => _sequence;

    /// <summary>The machine that a send is for; none of a publication.</summary>
    public string? SentTo => Publication is null ? Names.Target : null;

    public MessagingOperation Operation =>
        Publication is null ? MessagingOperation.Send(Names.Target) : MessagingOperation.Publish(Publication);

    public override bool WantsMore => Level > AcknowledgementLevel.Accepted;

    public override bool MayRepeat => Level != AcknowledgementLevel.Replied;

    /// <summary>How many bytes the event has.</summary>
    public int EventSize => SizeWith(_sender);

    // The event's numbers are a part of Numbers, whether it has them already or not.
    // Nothing else changes once it has been made, so threads that ask at the same time get the same.
    public override int Size =>
        _size != 0 ? _size : _size = checked(LengthWith(_encoded.Length, number: 0) + Numbers);

    /// <summary>
    /// Takes a send that waits for no more than <c>Accepted</c>, and encodes its event. The memory of another one,
    /// which has been answered, may be used for it.
    /// </summary>
    /// <param name="event">The event.</param>
    /// <param name="context">The trace context of its span.</param>
    public static PendingEvent Take(in NewEvent @event, in TraceContext context) => Take(@event, context, Shared);

    /// <summary>As the other overload, with a pool of the caller's.</summary>
    public static PendingEvent Take(
        in NewEvent @event, in TraceContext context, BoundedPool<PendingEvent> pool)
    {
        var taken = pool.TryTake();
        if (taken is null)
        {
            return new PendingEvent(@event.Names, EventEncoder.Encode(@event, context, []), pool);
        }

        taken._encoded = EventEncoder.Encode(@event, context, taken._encoded.Memory);
        taken.Names = @event.Names;
        return taken;
    }

    /// <summary>Notes a write that is about to read it.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>
    /// A write has ended, or the send has been answered and its task is complete: the caller does not look at it any
    /// more. A caller that never says so leaves it to the garbage collector, and nothing else happens.
    /// </summary>
    public void Release()
    {
        // A full fence: all that the others did with it comes before it is used again.
        if (Interlocked.Decrement(ref _holders) == 0 && _pool is not null && _encoded.Memory.Length <= MostReused)
        {
            Clear();
            _pool.Give(this);
        }
    }

    /// <summary>Gives the event its place in the order. Called once, under the lock of the queue.</summary>
    /// <param name="sender">The number of this client.</param>
    /// <param name="sequence">The place among this client's events.</param>
    public void SetPlace(ulong sender, ulong sequence) => (_sender, _sequence) = (sender, sequence);

    /// <summary>How many bytes the event has with another number of its sender.</summary>
    public int SizeWith(ulong sender) =>
        checked(_encoded.Length + SizeOf(sender, 1 + sizeof(ulong)) + SizeOfNumber(_sequence));

    /// <summary>Writes the event itself, with another number of its sender.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="sender">The number.</param>
    public void WriteEvent(ref FieldWriter writer, ulong sender)
    {
        writer.Write(_encoded.Head);
        writer.Write(_encoded.Payload.Span);
        writer.Write(_encoded.Tail);
        if (sender != 0)
        {
            Span<byte> bytes = stackalloc byte[1 + sizeof(ulong)];
            bytes[0] = SenderTag;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[1..], sender);
            writer.Write(bytes);
        }

        WriteNumber(ref writer, SequenceTag, _sequence);
    }

    public override int CalculateSize(ulong number) => FieldWriter.SizeWithTag(LengthWith(EventSize, number));

    public override void WriteTo(ref FieldWriter writer, ulong number)
    {
        var eventSize = EventSize;
        writer.WriteVarint(OutgoingCommand.Tag, (ulong)LengthWith(eventSize, number));
        WriteNumber(ref writer, NumberTag, number);
        WriteNumber(ref writer, LevelTag, (ulong)Level);
        WriteNumber(ref writer, TimeoutTag, TimeoutMilliseconds);
        if (Publication is null)
        {
            writer.WriteVarint(SendTag, (ulong)eventSize);
            WriteEvent(ref writer, _sender);
        }
        else
        {
            writer.WriteVarint(PublishTag, (ulong)LengthOf(Publication, eventSize));
            writer.WriteVarint(EventTag, (ulong)eventSize);
            WriteEvent(ref writer, _sender);
            writer.Write(Publication);
        }

        if (Waiting is not null)
        {
            writer.Write(WaitingTag, Waiting);
        }
    }

    private void Clear()
    {
        Renew();
        _encoded = new EncodedSend(_encoded.Memory, 0, 0, default);
        (_holders, _sender, _sequence, _size, Number) = (1, 0, 0, 0, 0);
        (Names, Activity) = (default, null);
        (Lane, LaneNumber, HeldBy) = (null, 0, null);
        (IsOver, IsWatchedHere) = (false, false);
    }

    private static int SizeOf(ulong value, int size) => value == 0 ? 0 : size;

    private static int SizeOfNumber(ulong value) => SizeOf(value, 1 + FieldWriter.SizeOf(value));

    private static int LengthOf(Publication publication, int eventSize) =>
        FieldWriter.SizeWithTag(eventSize) + publication.CalculateSize();

    private static void WriteNumber(ref FieldWriter writer, byte tag, ulong value)
    {
        if (value != 0)
        {
            writer.WriteVarint(tag, value);
        }
    }

    // The length of the command, without its own tag and length.
    private int LengthWith(int eventSize, ulong number) => checked(
        SizeOfNumber(number)
        + SizeOfNumber((ulong)Level)
        + SizeOfNumber(TimeoutMilliseconds)
        + FieldWriter.SizeWithTag(Publication is null ? eventSize : LengthOf(Publication, eventSize))
        + (Waiting is null ? 0 : FieldWriter.SizeWithTag(Waiting.CalculateSize())));
}
