using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// An event as a program gives it. It is encoded for the hub, or made a message for a machine of the same process.
/// </summary>
/// <param name="Names">Its source, target and name.</param>
/// <param name="Timestamp">When it was made, in 100-nanosecond units since 1970.</param>
/// <param name="Payload">Its payload.</param>
/// <param name="Options">Its further parts; none if it has none. They do not change, but for the headers.</param>
/// <param name="Headers">A copy of its headers.</param>
internal readonly record struct NewEvent(
    EventNames Names,
    long Timestamp,
    NewPayload Payload,
    EventSendOptions? Options,
    KeyValuePair<string, string>[] Headers)
{
    public string Source => Names.Source;

    public string Target => Names.Target;

    public string Name => Names.Name;

    public string Id => Options?.Id ?? "";

    public uint Version => unchecked((uint)(Options?.Version ?? 0));

    public string CorrelationId => Options?.CorrelationId ?? "";

    public string CausationId => Options?.CausationId ?? "";

    /// <summary>The change of its source's state that it tells of; or none.</summary>
    public StateChange? StateChange { get; init; }

    public TracedEvent Traced => new(Payload.Data.Length, Id, CorrelationId);

    /// <summary>The event with a payload that the program does not change: itself or a copy.</summary>
    public NewEvent ToOwned() => this with { Payload = Payload.ToOwned() };

    /// <summary>Makes a message, which belongs to the caller.</summary>
    public Event ToMessage()
    {
        var message = new Event
        {
            Id = Id,
            Name = Name,
            Source = Source,
            Target = Target,
            Payload = Payload.ToByteString(),
            ContentType = Payload.ContentType,
            TypeName = Payload.TypeName,
            Timestamp = Timestamp,
            Version = Version,
            CorrelationId = CorrelationId,
            CausationId = CausationId,
            StateChange = StateChange?.Clone(),
        };
        foreach (var (name, value) in Headers)
        {
            message.Headers.Add(new Header { Name = name, Value = value });
        }

        return message;
    }
}
