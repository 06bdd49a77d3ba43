using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// An event as its receiver gets it: a message, or the bytes as which it came. Of the bytes most parts are decoded when
/// they are asked for.
/// </summary>
internal readonly struct EventView
{
    // An Event, or bytes of one.
    private readonly object? _content;

    /// <param name="message">The event. Nobody changes it.</param>
    public EventView(Event message) =>
        (_content, Name, Source, Target) = (message, message.Name, message.Source, message.Target);

    /// <param name="bytes">The bytes of its other fields, which were checked. Nobody changes them.</param>
    /// <param name="name">Its name.</param>
    /// <param name="source">Its source.</param>
    /// <param name="target">Its target.</param>
    public EventView(byte[] bytes, string name, string source, string target) =>
        (_content, Name, Source, Target) = (bytes, name, source, target);

    /// <summary>True if a hub delivered nothing where an event should be.</summary>
    public bool IsMissing => _content is null;

    public string Name { get; }

    public string Source { get; }

    public string Target { get; }

    /// <summary>The machine that has come or gone; or none. Such events always are messages.</summary>
    public MachineChange? MachineChange => Message?.MachineChange;

    /// <summary>The numbers by which it is known if it comes again.</summary>
    public (ulong Sender, ulong Sequence) Place =>
        Message is { } message ? (message.Sender, message.Sequence) : Encoded.ReadPlace();

    /// <summary>
    /// True if its name and id are not too long for a hub, and have no characters that would do harm in a log.
    /// </summary>
    public bool IsAllowed(HubLimits limits) => PrintableText.IsPrintable(Name) && limits.AllowsText(Name)
        && (Message is { } message
            ? PrintableText.IsPrintable(message.Id) && limits.AllowsId(message.Id)
            : Encoded.HasAllowedId(limits.MaxIdLength));

    private Event? Message => _content as Event;

    private EncodedEvent Encoded => new((byte[])_content!);

    /// <summary>Reads the payload.</summary>
    public EncodedPayload ReadPayload() =>
        Message is { } message
            ? new EncodedPayload(message.Payload, message.ContentType, message.TypeName)
            : Encoded.ReadPayload();

    /// <summary>Reads what few handlers ask for.</summary>
    public EventDetails ReadDetails() =>
        Message is { } message ? new EventDetails(message) : new EventDetails((byte[])_content!);

    /// <summary>Reads the trace context, without the other headers.</summary>
    public TraceContext ReadTraceContext()
    {
        if (Message is not { } message)
        {
            return Encoded.ReadTraceContext();
        }

        return new TraceContext(
            message.Headers.LastOrDefault(static header => header.Name == TraceContext.ParentHeader)?.Value,
            message.Headers.LastOrDefault(static header => header.Name == TraceContext.StateHeader)?.Value);
    }

    /// <summary>Reads what a span tells of it.</summary>
    public TracedEvent ReadTraced() => Message is { } message ? TracedEvent.Of(message) : Encoded.ReadTraced();

    /// <summary>Reads the headers. Of two of one name the later one counts.</summary>
    public Dictionary<string, string> ReadHeaders()
    {
        if (Message is not { } message)
        {
            return Encoded.ReadHeaders();
        }

        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var header in message.Headers)
        {
            headers[header.Name] = header.Value;
        }

        return headers;
    }
}
