using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>An event, as a handler gets it.</summary>
/// <remarks>
/// Most of its parts are decoded when a handler first asks for them, and not at all if no handler does. One handler
/// uses it at a time.
/// </remarks>
public sealed class BusEvent
{
    private readonly EventView _event;
    private readonly PayloadCodecs _codecs;
    private object? _payload;
    private StrongBox<EncodedPayload>? _rawPayload;
    private EventDetails? _details;
    private bool _isDecoded;
    private bool _hasBeenHandled;
    private MachineStateChange? _stateChange;
    private IReadOnlyDictionary<string, string>? _headers;

    internal BusEvent(Event @event, PayloadCodecs codecs)
        : this(new EventView(@event), codecs)
    {
    }

    internal BusEvent(in EventView @event, PayloadCodecs codecs) => (_event, _codecs) = (@event, codecs);

    /// <summary>The machine that sent the event; empty if it was no machine.</summary>
    public string SourceMachineId => _event.Source;

    /// <summary>The machine that the event is for; empty if it was published.</summary>
    public string TargetMachineId => _event.Target;

    /// <summary>The group that the event was published to; empty if it was sent, or published otherwise.</summary>
    public string Group => Details.Group;

    /// <summary>The name of the event.</summary>
    public string EventName => _event.Name;

    /// <summary>
    /// The payload: <see langword="null"/> for none, a <c>byte[]</c> for bytes, a message or a <c>ByteString</c> for
    /// protobuf, for JSON the scalar that it was, an object of a known type (<see cref="PayloadOptions.KnownTypes"/>)
    /// or a <see cref="System.Text.Json.JsonElement"/>, or an object that a codec of the options made of it.
    /// </summary>
    /// <exception cref="FormatException">The payload cannot be decoded.</exception>
    public object? Payload
    {
        get
        {
            if (!_isDecoded)
            {
                _payload = _codecs.Decode(RawPayload, null);
                _isDecoded = true;
            }

            return _payload;
        }
    }

    /// <summary>
    /// The payload as it travelled. Its bytes may be a part of the event's: then who keeps them keeps all of the
    /// event's bytes in memory.
    /// </summary>
    public EncodedPayload RawPayload =>
        // In one object, so that two threads of a handler that ask at the same time see all of it or nothing.
        (_rawPayload ??= new StrongBox<EncodedPayload>(_event.ReadPayload())).Value;

    /// <summary>When the event was made (UTC), to 100 ns.</summary>
    public DateTime Timestamp => Details.Timestamp is not 0 and var time ? DateTime.UnixEpoch.AddTicks(time) : default;

    /// <summary>The event's id; may be empty.</summary>
    public string Id => Details.Id;

    /// <summary>The version of the event's meaning and payload; 0 if it is not versioned.</summary>
    public int Version => unchecked((int)Details.Version);

    /// <summary>The id that all events of one conversation share; may be empty.</summary>
    public string CorrelationId => Details.CorrelationId;

    /// <summary>The id of the event that led to this one; may be empty.</summary>
    public string CausationId => Details.CausationId;

    /// <summary>Further pairs of name and value.</summary>
    public IReadOnlyDictionary<string, string> Headers => _headers ??= _event.ReadHeaders();

    /// <summary>The change of its source's state that the event reports, or <see langword="null"/>.</summary>
    /// <exception cref="FormatException">The context cannot be decoded.</exception>
    public MachineStateChange? StateChange => _stateChange ??= ReadStateChange();

    /// <summary>
    /// The machine's state after it handled this event, for a sender that waits for it. The handler sets it. It stays
    /// for the machine's later events until a handler sets it again. Subscribers to changes of state are not told of
    /// it. They hear only what
    /// <see cref="EventClient.PublishStateChangeAsync(string, MachineStateChange, CancellationToken)"/> publishes.
    /// </summary>
    public string? NewState { get; set; }

    /// <summary>Whether the sender waits for a reply.</summary>
    public bool IsRequest { get; internal init; }

    // The machine or subscription whose handler has the event: EventReceiver of a client, LocalReceiver of the hub.
    internal object? HandledBy { get; init; }

    // The waits of its handler. ClientWaits owns the list, and guards it by its lock.
    internal List<ClientWait>? Waits { get; set; }

    internal Event? ReplyEvent { get; private set; }

    internal EventView View => _event;

    private EventDetails Details => _details ??= _event.ReadDetails();

    // The thread that runs the handlers writes it once; code that still runs in their flow reads it. No order with
    // other fields matters.
    internal bool HasBeenHandled
    {
        get => Volatile.Read(ref _hasBeenHandled);
        set => Volatile.Write(ref _hasBeenHandled, value);
    }

    /// <summary>Decodes the payload to a type.</summary>
    /// <typeparam name="T">
    /// The type: of JSON, a protobuf message, <c>byte[]</c>, <c>ByteString</c>, or one of a codec.
    /// </typeparam>
    /// <returns>The payload; the type's default if there is none.</returns>
    /// <exception cref="FormatException">The payload is not of that type.</exception>
    public T? GetPayload<[DynamicallyAccessedMembers(PayloadCodecs.PayloadMembers)] T>() =>
        _codecs.Decode<T>(RawPayload);

    /// <summary>
    /// Sets the reply to a sender that waits for one. The reply goes out when the handler has returned; the last one
    /// that was set counts. For other senders it has no effect.
    /// </summary>
    /// <param name="payload">The reply's payload, or <see langword="null"/> for none.</param>
    /// <param name="eventName">The reply's name, or <see langword="null"/> for that of this event.</param>
    /// <exception cref="NotSupportedException">No codec can encode the payload.</exception>
    public void Reply(object? payload = null, string? eventName = null)
    {
        var reply = new Event
        {
            Name = eventName ?? EventName,
            Source = TargetMachineId,
            Target = SourceMachineId,
            Timestamp = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks,
            CorrelationId = CorrelationId.Length > 0 ? CorrelationId : Id,
            CausationId = Id,
        };
        _codecs.EncodeInto(reply, payload);
        ReplyEvent = reply;
    }

    private MachineStateChange? ReadStateChange()
    {
        var change = Details.StateChange;
        return change is null ? null : new MachineStateChange
        {
            OldState = change.OldState,
            NewState = change.NewState,
            Transition = change.Transition,
            Context = _codecs.Decode(
                new EncodedPayload(change.Context, change.ContextContentType, change.ContextTypeName), null),
            Duration = TimeSpan.FromTicks(change.Duration),
        };
    }
}
