using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Matches events that stay in this process against this client's own subscriptions, as the hub would.</summary>
internal static class EventFilters
{
    public static bool Matches(Subscription filter, Event @event) => filter.FilterCase switch
    {
        Subscription.FilterOneofCase.All => true,
        Subscription.FilterOneofCase.Machine => filter.Machine == @event.Target,
        Subscription.FilterOneofCase.Pattern =>
            Glob.MatchesPart(filter.Pattern.Source, @event.Source)
            && Glob.MatchesPart(filter.Pattern.Target, @event.Target)
            && Glob.MatchesPart(filter.Pattern.Name, @event.Name)
            && Glob.MatchesPart(filter.Pattern.Group, @event.Group),

        // State changes and what groups get are published, and publications go through the hub.
        _ => false,
    };
}
