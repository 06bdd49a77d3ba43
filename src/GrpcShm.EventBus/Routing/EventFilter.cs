using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// What a subscription that is no inbox wants, looked at once: by which of an event's parts it is found, and what else
/// it asks for. The hub and its clients have this one, so that an event that stays in a client's process is matched as
/// the hub would.
/// </summary>
internal sealed class EventFilter
{
    private readonly Subscription.FilterOneofCase _kind;
    private readonly NamePattern? _name;
    private readonly NamePattern? _source;
    private readonly NamePattern? _target;
    private readonly NamePattern? _group;

    public EventFilter(Subscription filter)
    {
        _kind = filter.FilterCase;
        switch (_kind)
        {
            case Subscription.FilterOneofCase.Machine:
                (Index, Key) = (ObserverIndex.Target, filter.Machine);
                break;
            case Subscription.FilterOneofCase.Group:
                (Index, Key) = (ObserverIndex.Group, filter.Group);
                break;
            case Subscription.FilterOneofCase.StateChanges:
                _source = new NamePattern(filter.StateChanges);
                (Index, Key) =
                    _source.Exact is { } changing ? (ObserverIndex.ChangedSource, changing) : (ObserverIndex.None, "");
                break;
            case Subscription.FilterOneofCase.Pattern:
                (_name, _source) = (Part(filter.Pattern.Name), Part(filter.Pattern.Source));
                (_target, _group) = (Part(filter.Pattern.Target), Part(filter.Pattern.Group));
                (Index, Key) = _target?.Exact is { } target ? (ObserverIndex.Target, target)
                    : _group?.Exact is { } group ? (ObserverIndex.Group, group)
                    : _source?.Exact is { } source ? (ObserverIndex.Source, source)
                    : _name?.Exact is { } name ? (ObserverIndex.Name, name)
                    : (ObserverIndex.None, "");
                break;
        }
    }

    /// <summary>By which part of an event it is found; by none if it must be compared with each event.</summary>
    public ObserverIndex Index { get; }

    /// <summary>What that part must be.</summary>
    public string Key { get; } = "";

    /// <summary>What it costs at worst to compare it with an event, in units of the cheapest.</summary>
    public int Weight =>
        Math.Max(1, (_name?.Weight ?? 0) + (_source?.Weight ?? 0) + (_target?.Weight ?? 0) + (_group?.Weight ?? 0));

    /// <summary>Whether it wants an event that has been found by the key, if it has one.</summary>
    public bool MatchesBesideKey(Event @event) => _kind switch
    {
        // The key is all that they ask for.
        Subscription.FilterOneofCase.Machine or Subscription.FilterOneofCase.Group or Subscription.FilterOneofCase.All => true,
        Subscription.FilterOneofCase.StateChanges => @event.StateChange is not null && _source!.Matches(@event.Source),
        Subscription.FilterOneofCase.Pattern =>
            (_name?.Matches(@event.Name) ?? true)
            && (_target?.Matches(@event.Target) ?? true)
            && (_source?.Matches(@event.Source) ?? true)
            && (_group?.Matches(@event.Group) ?? true),
        _ => false,
    };

    /// <summary>Whether it wants an event that nothing has found yet.</summary>
    public bool Matches(Event @event) =>
        (Index == ObserverIndex.None || KeyOf(@event) == Key) && MatchesBesideKey(@event);

    private static NamePattern? Part(string pattern) => pattern.Length == 0 ? null : new NamePattern(pattern);

    private string? KeyOf(Event @event) => Index switch
    {
        ObserverIndex.Target => @event.Target,
        ObserverIndex.Group => @event.Group,
        ObserverIndex.ChangedSource => @event.StateChange is null ? null : @event.Source,
        ObserverIndex.Source => @event.Source,
        _ => @event.Name,
    };
}
