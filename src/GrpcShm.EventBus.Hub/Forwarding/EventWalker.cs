using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>Walks the fields of an encoded event once, and checks them as the generated parser would.</summary>
/// <remarks>
/// <para>
/// An event is forwarded as it came, but for the fields that only the hub may set: the sender's number and the group
/// are left out, and the hub writes its own at the end. So fields that this hub does not know are forwarded, too.
/// </para>
/// <para>
/// Only what an encoder writes is forwarded so: each field once, no value that need not be written, no number of more
/// bytes than it needs. All readers read that alike, in any language, and none sees another source or target than the
/// one that the hub has checked. Everything else is left to the generated parser, and encoded anew: what is malformed,
/// groups, a change of machines, a field that comes twice. So the walker need not know all rules, only be right about
/// what it takes.
/// </para>
/// </remarks>
internal static class EventWalker
{
    private const uint Id = (Event.IdFieldNumber << 3) | 2;
    private const uint Name = (Event.NameFieldNumber << 3) | 2;
    private const uint Source = (Event.SourceFieldNumber << 3) | 2;
    private const uint Target = (Event.TargetFieldNumber << 3) | 2;
    private const uint Payload = (Event.PayloadFieldNumber << 3) | 2;
    private const uint ContentType = (Event.ContentTypeFieldNumber << 3) | 2;
    private const uint TypeName = (Event.TypeNameFieldNumber << 3) | 2;
    private const uint Headers = (Event.HeadersFieldNumber << 3) | 2;
    private const uint CorrelationId = (Event.CorrelationIdFieldNumber << 3) | 2;
    private const uint CausationId = (Event.CausationIdFieldNumber << 3) | 2;
    private const uint Change = (Event.StateChangeFieldNumber << 3) | 2;
    private const uint Version = Event.VersionFieldNumber << 3;
    private const uint Sequence = Event.SequenceFieldNumber << 3;
    private const uint MachineChanged = (Event.MachineChangeFieldNumber << 3) | 2;

    /// <summary>The tag of the time at which the event was made.</summary>
    public const uint Timestamp = Event.TimestampFieldNumber << 3;

    /// <summary>The tag of the sender's number.</summary>
    public const uint Sender = (Event.SenderFieldNumber << 3) | 1;

    /// <summary>The tag of the group.</summary>
    public const uint Group = (Event.GroupFieldNumber << 3) | 2;

    /// <summary>Walks an event.</summary>
    /// <param name="event">The encoded event.</param>
    /// <param name="layout">What it has.</param>
    /// <returns>
    /// <see langword="false"/> if the event is malformed or not usual: then the generated parser has to decide.
    /// </returns>
    public static bool TryWalk(ReadOnlySpan<byte> @event, out EventLayout layout)
    {
        layout = default;
        var reader = new FieldReader(@event);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var tag) || !TryRead(ref reader, tag, ref layout))
            {
                return false;
            }

            if (tag is Sender or Group)
            {
                LeaveOut(new FieldRange(start, reader.Position - start), ref layout);
            }
        }

        return true;
    }

    private static bool TryRead(ref FieldReader reader, uint tag, ref EventLayout layout)
    {
        if (tag != Headers && !UsualFields.IsFirst(tag, ref layout.Seen))
        {
            return false;
        }

        switch (tag)
        {
            case Id:
                return TryReadPart(ref reader, EventPart.Id, ref layout);
            case Name:
                return TryReadPart(ref reader, EventPart.Name, ref layout);
            case Source:
                return TryReadPart(ref reader, EventPart.Source, ref layout);
            case Target:
                return TryReadPart(ref reader, EventPart.Target, ref layout);
            case Payload:
                var hasPayload = reader.TryReadBytes(out var payload);
                layout.PayloadLength = payload.Length;
                return hasPayload && !payload.IsEmpty;
            case ContentType or TypeName or CorrelationId or CausationId or Group:
                return UsualFields.IsText(ref reader);
            case Headers:
                layout.Headers++;
                return reader.TryReadBytes(out var header) && NestedMessages.IsHeader(header);
            case Timestamp:
                var hasTime = reader.TryReadVarint(out var time);
                layout.Timestamp = (long)time;
                return hasTime && time != 0;
            case Version:
                // It has 32 bits. Some parsers refuse more, which others cut off.
                return reader.TryReadVarint(out var version) && version is not 0 and <= uint.MaxValue;
            case Sequence:
                return reader.TryReadVarint(out var sequence) && sequence != 0;
            case Change:
                layout.HasStateChange = true;
                return reader.TryReadBytes(out var change) && NestedMessages.IsStateChange(change);
            case Sender:
                return reader.TryReadFixed64(out layout.Sender) && layout.Sender != 0;
            case MachineChanged:
                return false;
            default:
                return reader.TrySkip(tag);
        }
    }

    private static bool TryReadPart(ref FieldReader reader, EventPart part, ref EventLayout layout)
    {
        if (!reader.TryReadText(out var text) || text.IsEmpty)
        {
            return false;
        }

        layout.Texts[(int)part] = new FieldRange(reader.Position - text.Length - layout.LeftOut, text.Length);
        return true;
    }

    private static void LeaveOut(FieldRange field, ref EventLayout layout)
    {
        // Each of the two comes once.
        if (layout.LeftOutFirst.Length == 0)
        {
            layout.LeftOutFirst = field;
        }
        else
        {
            layout.LeftOutSecond = field;
        }
    }
}
