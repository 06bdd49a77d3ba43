namespace GrpcShm.EventBus;

/// <summary>The machine that publishes an event, and the audience of the event.</summary>
/// <remarks>
/// Without <see cref="Group"/>, <see cref="MachinePattern"/> and <see cref="ObserversOnly"/> the event is for all
/// machines.
/// </remarks>
public sealed class EventPublishOptions
{
    /// <summary>The machine that publishes the event: the source that receivers see.</summary>
    /// <remarks>Defaults to the empty string: none.</remarks>
    public string SourceMachineId { get; init; } = "";

    /// <summary>The group whose machines get the event.</summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    public string? Group { get; init; }

    /// <summary>The pattern (<c>*</c>, <c>?</c>) of the ids of the machines that get the event.</summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    public string? MachinePattern { get; init; }

    /// <summary>Whether only subscriptions whose filters match get the event, and no machine's inbox.</summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool ObserversOnly { get; init; }

    /// <summary>
    /// Whether the machine that publishes the event is left out. It needs <see cref="SourceMachineId"/>.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool ExcludeSource { get; init; }

    /// <summary>The event's id, headers and the like. Its acknowledgement and time-out have no meaning here.</summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public EventSendOptions? Event { get; init; }
}
