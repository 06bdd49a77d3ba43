using GrpcShm.EventBus.Budgets;

namespace GrpcShm.EventBus.Routing;

/// <summary>A subscription that is no inbox: what it wants, and whose it is.</summary>
internal sealed class Observer(EventFilter filter, Subscriber subscriber, SessionBudget budget)
{
    public EventFilter Filter { get; } = filter;

    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>Whose it is.</summary>
    public SessionBudget Budget { get; } = budget;
}
