using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>Walks the fields of an encoded event once, and checks them as the generated parser would.</summary>
/// <remarks>
/// <para>
/// An event is forwarded as it came, but for the fields that only the hub may set: the sender's number and the group
/// are left out, and the hub writes its own at the end. So fields that this hub does not know are forwarded, too. Of a
/// field that comes more than once each reader takes the last one or, of a message, all of them together. The copy has
/// all of them in the same order, so it means the same.
/// </para>
/// <para>
/// What is malformed, and what no usual client sends, is left to the generated parser: groups of fields, a change of
/// machines, more than two fields that only the hub may set. So the walker need not know all rules, only be right about
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

            if (tag is Sender or Group && !TryLeaveOut(new FieldRange(start, reader.Position - start), ref layout))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryRead(ref FieldReader reader, uint tag, ref EventLayout layout)
    {
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
                return hasPayload;
            case ContentType or TypeName or CorrelationId or CausationId or Group:
                return reader.TryReadText(out _);
            case Headers:
                layout.Headers++;
                return reader.TryReadBytes(out var header) && IsHeader(header);
            case Timestamp:
                var hasTime = reader.TryReadVarint(out var time);
                layout.Timestamp = (long)time;
                return hasTime;
            case Change:
                layout.HasStateChange = true;
                return reader.TryReadBytes(out var change) && IsStateChange(change);
            case Sender:
                return reader.TryReadFixed64(out layout.Sender);
            case MachineChanged:
                return false;
            default:
                return reader.TrySkip(tag);
        }
    }

    private static bool TryReadPart(ref FieldReader reader, EventPart part, ref EventLayout layout)
    {
        if (!reader.TryReadText(out var text))
        {
            return false;
        }

        layout.Texts[(int)part] = new FieldRange(reader.Position - text.Length - layout.LeftOut, text.Length);
        return true;
    }

    private static bool TryLeaveOut(FieldRange field, ref EventLayout layout)
    {
        if (layout.LeftOutFirst.Length == 0)
        {
            layout.LeftOutFirst = field;
            return true;
        }

        var isSecond = layout.LeftOutSecond.Length == 0;
        layout.LeftOutSecond = field;
        return isSecond;
    }

    private static bool IsHeader(ReadOnlySpan<byte> header)
    {
        var reader = new FieldReader(header);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && tag switch
            {
                (Header.NameFieldNumber << 3) | 2 or (Header.ValueFieldNumber << 3) | 2 => reader.TryReadText(out _),
                _ => reader.TrySkip(tag),
            };
            if (!isWell)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsStateChange(ReadOnlySpan<byte> change)
    {
        var reader = new FieldReader(change);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && tag switch
            {
                (StateChange.OldStateFieldNumber << 3) | 2
                    or (StateChange.NewStateFieldNumber << 3) | 2
                    or (StateChange.TransitionFieldNumber << 3) | 2
                    or (StateChange.ContextContentTypeFieldNumber << 3) | 2
                    or (StateChange.ContextTypeNameFieldNumber << 3) | 2 => reader.TryReadText(out _),
                _ => reader.TrySkip(tag),
            };
            if (!isWell)
            {
                return false;
            }
        }

        return true;
    }
}
