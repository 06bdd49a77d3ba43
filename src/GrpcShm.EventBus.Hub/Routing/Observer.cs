using GrpcShm.EventBus.Budgets;

namespace GrpcShm.EventBus.Routing;

/// <summary>A subscription that is no inbox.</summary>
internal sealed class Observer(EventFilter filter, Subscriber subscriber, SessionBudget budget) : ISlotted
{
    public EventFilter Filter { get; } = filter;

    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>The budget of its session.</summary>
    public SessionBudget Budget { get; } = budget;

    int ISlotted.Slot { get; set; }
}
