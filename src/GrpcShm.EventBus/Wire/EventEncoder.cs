using System.Buffers;
using Google.Protobuf;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>Encodes events that a program sends, without a message in between.</summary>
internal static class EventEncoder
{
    private const byte Id = (Event.IdFieldNumber << 3) | 2;
    private const byte Name = (Event.NameFieldNumber << 3) | 2;
    private const byte Source = (Event.SourceFieldNumber << 3) | 2;
    private const byte Target = (Event.TargetFieldNumber << 3) | 2;
    private const byte Payload = (Event.PayloadFieldNumber << 3) | 2;
    private const byte ContentType = (Event.ContentTypeFieldNumber << 3) | 2;
    private const byte TypeName = (Event.TypeNameFieldNumber << 3) | 2;
    private const byte Headers = (Event.HeadersFieldNumber << 3) | 2;
    private const byte HeaderName = (Header.NameFieldNumber << 3) | 2;
    private const byte HeaderValue = (Header.ValueFieldNumber << 3) | 2;
    private const byte Timestamp = Event.TimestampFieldNumber << 3;
    private const byte Version = Event.VersionFieldNumber << 3;
    private const byte CorrelationId = (Event.CorrelationIdFieldNumber << 3) | 2;
    private const byte CausationId = (Event.CausationIdFieldNumber << 3) | 2;
    private const byte Change = (Event.StateChangeFieldNumber << 3) | 2;

    // The lengths of the payload and of the change, the time, and the version.
    private const int MostOfNumbers = 4 * FieldEncoder.MostBeforeValue;

    // Room for the fields of most events, beside the payload.
    private const int UsualBytes = 512;

    // The pool would keep more for long, though so long texts are rare.
    private const int MostPooledBytes = 1024 * 1024;

    // Copying so few bytes costs less than keeping what they belong to.
    private const int MostCopiedBytes = 1024;

    /// <summary>
    /// Encodes all fields of an event but the sender's number and the sequence, which the event gets later. They have
    /// higher numbers than the others, so they may stand behind them.
    /// </summary>
    /// <param name="event">The event.</param>
    /// <param name="context">The trace context, which becomes its last headers.</param>
    /// <param name="memory">Memory to use if it is large enough. It may be empty.</param>
    /// <returns>
    /// The event's bytes. They belong to the caller, but for a large payload that nobody changes: they refer to it.
    /// </returns>
    public static EncodedSend Encode(in NewEvent @event, in TraceContext context, byte[] memory)
    {
        var changeLength = @event.StateChange?.CalculateSize() ?? 0;
        var most = checked((int)(MostBytesOf(@event, context) + changeLength));
        byte[]? rented = null;
        Span<byte> space = most <= UsualBytes
            ? stackalloc byte[UsualBytes]
            : most <= MostPooledBytes ? rented = ArrayPool<byte>.Shared.Rent(most) : new byte[most];

        var encoder = new FieldEncoder(space);
        var payload = @event.Payload.Data.Span;
        WriteNames(ref encoder, @event, payload.Length);
        var beforePayload = encoder.Position;
        WriteRest(ref encoder, @event, context, changeLength);

        var isCopied = @event.Payload.IsBorrowed || payload.Length <= MostCopiedBytes;
        var copied = isCopied ? payload : [];
        var length = checked(encoder.Position + copied.Length);
        var fields = memory.Length >= length ? memory : GC.AllocateUninitializedArray<byte>(length);
        space[..beforePayload].CopyTo(fields);
        copied.CopyTo(fields.AsSpan(beforePayload));
        space[beforePayload..encoder.Position].CopyTo(fields.AsSpan(beforePayload + copied.Length));
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return isCopied
            ? new EncodedSend(fields, length, length, default)
            : new EncodedSend(fields, length, beforePayload, @event.Payload.Data);
    }

    private static long MostBytesOf(in NewEvent @event, in TraceContext context)
    {
        var most = MostOfNumbers
            + FieldEncoder.MostBytesOf(@event.Id)
            + FieldEncoder.MostBytesOf(@event.Name)
            + FieldEncoder.MostBytesOf(@event.Source)
            + FieldEncoder.MostBytesOf(@event.Target)
            + FieldEncoder.MostBytesOf(@event.Payload.ContentType)
            + FieldEncoder.MostBytesOf(@event.Payload.TypeName)
            + FieldEncoder.MostBytesOf(@event.CorrelationId)
            + FieldEncoder.MostBytesOf(@event.CausationId);
        foreach (var (name, value) in @event.Headers)
        {
            most += MostBytesOfHeader(name, value);
        }

        if (context.Parent is { } parent)
        {
            most += MostBytesOfHeader(TraceContext.ParentHeader, parent);
        }

        return context.State is { } state ? most + MostBytesOfHeader(TraceContext.StateHeader, state) : most;
    }

    private static long MostBytesOfHeader(string name, string value) =>
        FieldEncoder.MostBeforeValue + FieldEncoder.MostBytesOf(name) + FieldEncoder.MostBytesOf(value);

    private static void WriteNames(ref FieldEncoder encoder, in NewEvent @event, int payloadLength)
    {
        encoder.Write(Id, @event.Id);
        encoder.Write(Name, @event.Name);
        encoder.Write(Source, @event.Source);
        encoder.Write(Target, @event.Target);
        if (payloadLength > 0)
        {
            encoder.WriteLength(Payload, payloadLength);
        }
    }

    private static void WriteRest(
        ref FieldEncoder encoder, in NewEvent @event, in TraceContext context, int changeLength)
    {
        encoder.Write(ContentType, @event.Payload.ContentType);
        encoder.Write(TypeName, @event.Payload.TypeName);
        foreach (var (name, value) in @event.Headers)
        {
            WriteHeader(ref encoder, name, value);
        }

        if (context.Parent is { } parent)
        {
            WriteHeader(ref encoder, TraceContext.ParentHeader, parent);
        }

        if (context.State is { } state)
        {
            WriteHeader(ref encoder, TraceContext.StateHeader, state);
        }

        encoder.Write(Timestamp, (ulong)@event.Timestamp);
        encoder.Write(Version, @event.Version);
        encoder.Write(CorrelationId, @event.CorrelationId);
        encoder.Write(CausationId, @event.CausationId);
        if (@event.StateChange is { } change)
        {
            encoder.WriteLength(Change, changeLength);
            change.WriteTo(encoder.Take(changeLength));
        }
    }

    private static void WriteHeader(ref FieldEncoder encoder, string name, string value)
    {
        encoder.WriteLength(Headers, FieldEncoder.SizeOf(name) + FieldEncoder.SizeOf(value));
        encoder.Write(HeaderName, name);
        encoder.Write(HeaderValue, value);
    }
}
