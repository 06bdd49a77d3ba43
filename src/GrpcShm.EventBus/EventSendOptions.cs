using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>
/// The parts of an event besides its name and payload, and how far the event must come for its send to be complete.
/// </summary>
public sealed class EventSendOptions
{
    /// <summary>How far the event must have come for the send to be complete.</summary>
    /// <remarks>Defaults to <see cref="AcknowledgementLevel.Accepted"/>: it is in the target's mailbox.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public AcknowledgementLevel Acknowledgement
    {
        get;
        init => field = Choices.Check(value, nameof(Acknowledgement));
    } = AcknowledgementLevel.Accepted;

    /// <summary>How long to wait for an acknowledgement later than <c>Accepted</c>.</summary>
    /// <value>1 ms or more. A shorter time counts as 1 ms.</value>
    /// <remarks>
    /// Defaults to <see langword="null"/>: the client's <see cref="EventBusClientOptions.AcknowledgementTimeout"/>, and
    /// for sends of the hub's own process <c>EventBusOptions.DefaultAcknowledgementTimeout</c>.
    /// </remarks>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The event's id.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none. A request gets a new id then.</remarks>
    public string? Id { get; init; }

    /// <summary>The id that all events of one conversation share.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public string? CorrelationId { get; init; }

    /// <summary>The id of the event that led to this one.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public string? CausationId { get; init; }

    /// <summary>The version of the event's meaning and payload.</summary>
    /// <value>Any number.</value>
    /// <remarks>Defaults to 0: not versioned.</remarks>
    public int Version { get; init; }

    /// <summary>Further pairs of name and value.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
}
