using System.Text;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// What few handlers ask for of an event. The bytes are walked once; each text is decoded when it is first asked for.
/// </summary>
internal sealed class EventDetails
{
    private readonly byte[] _bytes = [];
    private readonly Range _idRange;
    private readonly Range _groupRange;
    private readonly Range _correlationIdRange;
    private readonly Range _causationIdRange;
    private readonly Range? _changeRange;
    private string? _id;
    private string? _group;
    private string? _correlationId;
    private string? _causationId;
    private StateChange? _stateChange;

    /// <param name="message">The event. Nobody changes it.</param>
    public EventDetails(Event message)
    {
        (_id, _group) = (message.Id, message.Group);
        (_correlationId, _causationId) = (message.CorrelationId, message.CausationId);
        (Timestamp, Version) = (message.Timestamp, message.Version);
        _stateChange = message.StateChange;
    }

    /// <param name="bytes">The bytes of the event, which were checked. Nobody changes them.</param>
    public EventDetails(byte[] bytes)
    {
        _bytes = bytes;
        var reader = new FieldReader(bytes);
        while (EncodedEvent.TryReadField(ref reader, out var tag, out var value, out var number))
        {
            var range = (reader.Position - value.Length)..reader.Position;
            switch (tag)
            {
                case EncodedEvent.IdTag:
                    _idRange = range;
                    break;
                case EncodedEvent.GroupTag:
                    _groupRange = range;
                    break;
                case EncodedEvent.CorrelationIdTag:
                    _correlationIdRange = range;
                    break;
                case EncodedEvent.CausationIdTag:
                    _causationIdRange = range;
                    break;
                case EncodedEvent.StateChangeTag:
                    _changeRange = range;
                    break;
                case EncodedEvent.TimestampTag:
                    Timestamp = (long)number;
                    break;
                case EncodedEvent.VersionTag:
                    Version = (uint)number;
                    break;
            }
        }
    }

    public string Id => _id ??= Encoding.UTF8.GetString(_bytes.AsSpan(_idRange));

    public string Group => _group ??= InternedTexts.Shared.Get(_bytes.AsSpan(_groupRange));

    public string CorrelationId => _correlationId ??= Encoding.UTF8.GetString(_bytes.AsSpan(_correlationIdRange));

    public string CausationId => _causationId ??= Encoding.UTF8.GetString(_bytes.AsSpan(_causationIdRange));

    /// <summary>When the event was made, in 100-nanosecond units since 1970; zero: not given.</summary>
    public long Timestamp { get; }

    public uint Version { get; }

    /// <summary>The change of its source's state; none if the event tells of none.</summary>
    public StateChange? StateChange =>
        _stateChange ??= _changeRange is { } range ? StateChange.Parser.ParseFrom(_bytes.AsSpan(range)) : null;
}
