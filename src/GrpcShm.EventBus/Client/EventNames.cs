using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>What a failure of a send tells of its event.</summary>
/// <param name="Source">The machine that sent it; may be empty.</param>
/// <param name="Target">The machine that it is for; empty if it was published.</param>
/// <param name="Name">The name of the event.</param>
internal readonly record struct EventNames(string Source, string Target, string Name)
{
    public static EventNames Of(Event @event) => new(@event.Source, @event.Target, @event.Name);
}
