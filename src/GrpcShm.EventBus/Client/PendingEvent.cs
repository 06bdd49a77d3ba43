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
/// The bytes are its own, and not of a pool: an answer may come before the request was written, and a
/// write that does not end may read the request later than that.
/// </remarks>
/// <param name="names">What a failure tells of the event.</param>
/// <param name="encoded">The event, without the sender's number and the sequence.</param>
internal sealed class PendingEvent(in EventNames names, in EncodedSend encoded) : PendingCommand
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

    private readonly EncodedSend _encoded = encoded;
    private ulong _sender;
    private ulong _sequence;
    private int _size;

    public EventNames Names { get; } = names;

    public override ulong Number { get; set; }

    public AcknowledgementLevel Level { get; init; }

    /// <summary>How long the hub waits for the acknowledgement, in milliseconds; zero: not at all.</summary>
    public uint TimeoutMilliseconds { get; init; }

    /// <summary>The audience of a publication, without its event; none of a send.</summary>
    public Publication? Publication { get; init; }

    /// <summary>What the hub is told of the handler that waits for the answer; none if no handler waits.</summary>
    public HandlerWait? Waiting { get; init; }

    /// <summary>
    /// When a send that waits for a later acknowledgement is too late, by <see cref="Environment.TickCount64"/>; zero
    /// if it has no end. As long as there is a session, the hub ends it.
    /// </summary>
    public long Deadline { get; init; }

    /// <summary>The time when it was made, for the metrics; zero if nobody measures.</summary>
    public long Started { get; init; }

    /// <summary>Its span, if anybody traces.</summary>
    public Activity? Activity { get; init; }

    /// <summary>
    /// True if this process watches its deadline: a session with it has ended. Only the client's link uses it.
    /// </summary>
    public bool IsWatched { get; set; }

    /// <summary>The lane that has it; none if the hub has it, or is to get it. The lock of the queue guards it.</summary>
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

    /// <summary>
    /// True if the hub was told of <see cref="Waiting"/> by a command of its own. Written under the lock of the queue
    /// before the event is on a lane, and read when it has been answered.
    /// </summary>
    public bool IsWaitTold { get; set; }

    /// <summary>True if a pipeline may try again: then the caller of the pipeline reports a failure.</summary>
    public bool IsAttempt { get; init; }

    /// <summary>True if it was made in the flow of a handler.</summary>
    public bool IsInHandler { get; init; }

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
