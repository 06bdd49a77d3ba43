using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>What an event carries besides its name and payload, and how far it must come.</summary>
public sealed class EventSendOptions
{
    /// <summary>How far the event must have come for the send to be complete.</summary>
    /// <remarks>Defaults to <see cref="AcknowledgementLevel.Accepted"/>: it is in the target's mailbox.</remarks>
    public AcknowledgementLevel Acknowledgement { get; init; } = AcknowledgementLevel.Accepted;

    /// <summary>How long to wait for an acknowledgement later than accepted.</summary>
    /// <remarks>
    /// Defaults to the client's <see cref="EventBusClientOptions.AcknowledgementTimeout"/>; for what the hub's own process
    /// sends, to <c>EventBusOptions.DefaultAcknowledgementTimeout</c>.
    /// </remarks>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The event's id.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none, or one that is made for a request.</remarks>
    public string? Id { get; init; }

    /// <summary>What is the same for all events of one conversation.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public string? CorrelationId { get; init; }

    /// <summary>The id of the event that led to this one.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public string? CausationId { get; init; }

    /// <summary>The version of the event's meaning and payload.</summary>
    /// <remarks>Defaults to 0: not versioned.</remarks>
    public int Version { get; init; }

    /// <summary>Further pairs of name and value.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
}
