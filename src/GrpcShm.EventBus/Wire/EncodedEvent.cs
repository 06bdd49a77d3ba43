using System.Text;
using Google.Protobuf;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// The bytes of an event that has been checked, mostly without its names, and what they say of all else.
/// </summary>
/// <remarks>
/// The bytes are the event's own array, which nobody changes. So a payload that is a slice of it lives as long as
/// anybody keeps it, and keeps no other event alive. Of a field that comes more than once the last one counts.
/// </remarks>
/// <param name="bytes">The bytes, as <see cref="TryRead"/> gives them.</param>
internal readonly struct EncodedEvent(byte[] bytes)
{
    public const uint IdTag = (Event.IdFieldNumber << 3) | 2;
    private const uint NameTag = (Event.NameFieldNumber << 3) | 2;
    private const uint SourceTag = (Event.SourceFieldNumber << 3) | 2;
    private const uint TargetTag = (Event.TargetFieldNumber << 3) | 2;
    private const uint PayloadTag = (Event.PayloadFieldNumber << 3) | 2;
    private const uint ContentTypeTag = (Event.ContentTypeFieldNumber << 3) | 2;
    private const uint TypeNameTag = (Event.TypeNameFieldNumber << 3) | 2;
    private const uint HeadersTag = (Event.HeadersFieldNumber << 3) | 2;
    private const uint HeaderNameTag = (Header.NameFieldNumber << 3) | 2;
    private const uint HeaderValueTag = (Header.ValueFieldNumber << 3) | 2;
    public const uint TimestampTag = Event.TimestampFieldNumber << 3;
    public const uint VersionTag = Event.VersionFieldNumber << 3;
    public const uint CorrelationIdTag = (Event.CorrelationIdFieldNumber << 3) | 2;
    public const uint CausationIdTag = (Event.CausationIdFieldNumber << 3) | 2;
    public const uint StateChangeTag = (Event.StateChangeFieldNumber << 3) | 2;
    private const uint SenderTag = (Event.SenderFieldNumber << 3) | 1;
    private const uint SequenceTag = Event.SequenceFieldNumber << 3;
    private const uint MachineChangeTag = (Event.MachineChangeFieldNumber << 3) | 2;
    public const uint GroupTag = (Event.GroupFieldNumber << 3) | 2;

    /// <summary>Checks an event as the generated parser would, and reads what each receiver has to know.</summary>
    /// <param name="event">The encoded event.</param>
    /// <param name="read">What it says.</param>
    /// <returns>
    /// <see langword="false"/> if it is malformed or not usual: then the generated parser has to decide.
    /// </returns>
    public static bool TryRead(ReadOnlySpan<byte> @event, out ReadEvent read)
    {
        read = default;
        var (hasChange, isSpecial) = (false, false);
        ReadOnlySpan<byte> name = [], source = [], target = [];
        var (sender, sequence) = (0ul, 0ul);
        var (namesStart, namesEnd) = (0, 0);
        var reader = new FieldReader(@event);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            var isTaken = tag switch
            {
                NameTag => reader.TryReadText(out name),
                SourceTag => reader.TryReadText(out source),
                TargetTag => reader.TryReadText(out target),
                IdTag or ContentTypeTag or TypeNameTag or CorrelationIdTag or CausationIdTag or GroupTag =>
                    reader.TryReadText(out _),
                SenderTag => reader.TryReadFixed64(out sender),
                SequenceTag => reader.TryReadVarint(out sequence),
                HeadersTag => reader.TryReadBytes(out var header) && NestedMessages.IsHeader(header),
                StateChangeTag => !hasChange && reader.TryReadBytes(out var change)
                    && NestedMessages.IsStateChange(change),
                MachineChangeTag => false,
                _ => reader.TrySkip(tag),
            };
            if (!isTaken)
            {
                return false;
            }

            hasChange |= tag == StateChangeTag;
            isSpecial |= tag is StateChangeTag or GroupTag;
            if (tag is NameTag or SourceTag or TargetTag && (namesEnd == namesStart || namesEnd == start))
            {
                (namesStart, namesEnd) = (namesEnd == start ? namesStart : start, reader.Position);
            }
        }

        // The names are strings from here on. Encoders write them in one run, so most events are copied without them.
        var kept = GC.AllocateUninitializedArray<byte>(@event.Length - (namesEnd - namesStart));
        @event[..namesStart].CopyTo(kept);
        @event[namesEnd..].CopyTo(kept.AsSpan(namesStart));
        var texts = InternedTexts.Shared;
        read = new ReadEvent(
            kept, texts.Get(name), texts.Get(source), texts.Get(target), sender, sequence, isSpecial);
        return true;
    }

    /// <summary>Reads the payload, whose bytes are a slice of the event's.</summary>
    public EncodedPayload ReadPayload()
    {
        var (start, length) = (0, 0);
        ReadOnlySpan<byte> contentType = [], typeName = [];
        var reader = new FieldReader(bytes);
        while (TryReadField(ref reader, out var tag, out var value, out _))
        {
            switch (tag)
            {
                case PayloadTag:
                    (start, length) = (reader.Position - value.Length, value.Length);
                    break;
                case ContentTypeTag:
                    contentType = value;
                    break;
                case TypeNameTag:
                    typeName = value;
                    break;
            }
        }

        return new EncodedPayload(
            UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(start, length)),
            InternedTexts.Shared.Get(contentType),
            InternedTexts.Shared.Get(typeName));
    }

    /// <summary>Reads what a span tells of the event.</summary>
    public TracedEvent ReadTraced()
    {
        var payloadLength = 0;
        ReadOnlySpan<byte> id = [], correlationId = [];
        var reader = new FieldReader(bytes);
        while (TryReadField(ref reader, out var tag, out var value, out _))
        {
            switch (tag)
            {
                case PayloadTag:
                    payloadLength = value.Length;
                    break;
                case IdTag:
                    id = value;
                    break;
                case CorrelationIdTag:
                    correlationId = value;
                    break;
            }
        }

        return new TracedEvent(payloadLength, Encoding.UTF8.GetString(id), Encoding.UTF8.GetString(correlationId));
    }

    /// <summary>Reads the trace context from the headers, and makes no strings of the others.</summary>
    public TraceContext ReadTraceContext()
    {
        ReadOnlySpan<byte> parent = [], state = [];
        var (hasParent, hasState) = (false, false);
        var reader = new FieldReader(bytes);
        while (TryReadField(ref reader, out var tag, out var header, out _))
        {
            if (tag != HeadersTag)
            {
                continue;
            }

            var name = Find(header, HeaderNameTag);
            if (name.SequenceEqual("traceparent"u8))
            {
                parent = Find(header, HeaderValueTag);
                hasParent = true;
            }
            else if (name.SequenceEqual("tracestate"u8))
            {
                state = Find(header, HeaderValueTag);
                hasState = true;
            }
        }

        return new TraceContext(
            hasParent ? Encoding.UTF8.GetString(parent) : null, hasState ? Encoding.UTF8.GetString(state) : null);
    }

    /// <summary>True if its id is not too long, and has no characters that would do harm in a log.</summary>
    /// <param name="maxBytes">The most bytes that it may have.</param>
    public bool HasAllowedId(long maxBytes)
    {
        var id = Find(IdTag);
        return id.Length <= maxBytes && PrintableText.IsPrintable(id);
    }

    /// <summary>Reads the numbers by which an event that comes again is known.</summary>
    public (ulong Sender, ulong Sequence) ReadPlace() => (FindNumber(SenderTag), FindNumber(SequenceTag));

    /// <summary>Reads the headers. Of two of one name the later one counts.</summary>
    public Dictionary<string, string> ReadHeaders()
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new FieldReader(bytes);
        while (TryReadField(ref reader, out var tag, out var header, out _))
        {
            if (tag == HeadersTag)
            {
                headers[InternedTexts.Shared.Get(Find(header, HeaderNameTag))] =
                    Encoding.UTF8.GetString(Find(header, HeaderValueTag));
            }
        }

        return headers;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, uint wanted)
    {
        ReadOnlySpan<byte> found = [];
        var reader = new FieldReader(message);
        while (TryReadField(ref reader, out var tag, out var value, out _))
        {
            found = tag == wanted ? value : found;
        }

        return found;
    }

    /// <summary>Reads the next field. The bytes have been checked: it fails at their end only.</summary>
    public static bool TryReadField(
        scoped ref FieldReader reader, out uint tag, out ReadOnlySpan<byte> value, out ulong number)
    {
        value = [];
        number = 0;
        tag = 0;
        return !reader.IsAtEnd && reader.TryReadTag(out tag) && (tag & 7) switch
        {
            0 => reader.TryReadVarint(out number),
            1 => reader.TryReadFixed64(out number),
            2 => reader.TryReadBytes(out value),
            _ => reader.TrySkip(tag),
        };
    }

    private ReadOnlySpan<byte> Find(uint wanted) => Find(bytes, wanted);

    private ulong FindNumber(uint wanted)
    {
        var found = 0ul;
        var reader = new FieldReader(bytes);
        while (TryReadField(ref reader, out var tag, out _, out var number))
        {
            found = tag == wanted ? number : found;
        }

        return found;
    }
}
