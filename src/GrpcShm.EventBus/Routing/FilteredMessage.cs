using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>A message, as a filter sees it.</summary>
/// <param name="Message">The message.</param>
internal readonly record struct FilteredMessage(Event Message) : IFilteredEvent
{
    public string Name => Message.Name;

    public string Source => Message.Source;

    public string Target => Message.Target;

    public string Group => Message.Group;

    public bool HasStateChange => Message.StateChange is not null;
}
