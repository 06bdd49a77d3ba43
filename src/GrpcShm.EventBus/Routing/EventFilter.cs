using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// The filter of a subscription that is no inbox, parsed once: the part of an event by which the subscription is found,
/// and its further conditions. The hub and its clients share this type, so that an event that stays in a client's
/// process matches as it would match at the hub.
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
                (Index, Key, IsKeyBeginning) = Choose((ObserverIndex.ChangedSource, _source));
                break;
            case Subscription.FilterOneofCase.Pattern:
                (_name, _source) = (Part(filter.Pattern.Name), Part(filter.Pattern.Source));
                (_target, _group) = (Part(filter.Pattern.Target), Part(filter.Pattern.Group));
                (Index, Key, IsKeyBeginning) = Choose(
                    (ObserverIndex.Target, _target),
                    (ObserverIndex.Group, _group),
                    (ObserverIndex.Source, _source),
                    (ObserverIndex.Name, _name));
                break;
        }
    }

    /// <summary>The part of an event by which it is found; none if it must be compared with each event.</summary>
    public ObserverIndex Index { get; }

    /// <summary>The value that this part must have, or how it must begin.</summary>
    public string Key { get; } = "";

    /// <summary>True if the part only has to begin with the key.</summary>
    public bool IsKeyBeginning { get; }

    /// <summary>True if it names a part in full, so that few filters are found by the same event.</summary>
    public bool HasName => Index != ObserverIndex.None && !IsKeyBeginning;

    /// <summary>The cost of a comparison with an event at worst, in units of the cheapest filter.</summary>
    public int Weight =>
        Math.Max(1, (_name?.Weight ?? 0) + (_source?.Weight ?? 0) + (_target?.Weight ?? 0) + (_group?.Weight ?? 0));

    /// <summary>
    /// True if it may match events that are sent to a machine without a change of state, and not only published ones.
    /// </summary>
    public bool MayMatchSends => _kind switch
    {
        Subscription.FilterOneofCase.Machine or Subscription.FilterOneofCase.All => true,

        // An event that is sent has no group.
        Subscription.FilterOneofCase.Pattern => _group?.Matches("") ?? true,
        _ => false,
    };

    /// <summary>The one machine of all events that are sent and that it matches; none if there may be others.</summary>
    public string? Machine =>
        _kind == Subscription.FilterOneofCase.Machine ? Key : _target?.Exact ?? _source?.Exact;

    /// <summary>True if it may match an event that is sent, of whatever name, without a change of state.</summary>
    public bool MayMatchSend(string source, string target) => MayMatchSends
        && (_kind != Subscription.FilterOneofCase.Machine || Key == target)
        && (_target?.Matches(target) ?? true)
        && (_source?.Matches(source) ?? true);

    /// <summary>True if it matches an event that was found by its key, if it names a part in full.</summary>
    public bool MatchesBesideKey<TEvent>(TEvent @event)
        where TEvent : IFilteredEvent => _kind switch
    {
        // The key is their only condition.
        Subscription.FilterOneofCase.Machine
            or Subscription.FilterOneofCase.Group
            or Subscription.FilterOneofCase.All => true,
        Subscription.FilterOneofCase.StateChanges => @event.HasStateChange && _source!.Matches(@event.Source),
        Subscription.FilterOneofCase.Pattern =>
            (_name?.Matches(@event.Name) ?? true)
            && (_target?.Matches(@event.Target) ?? true)
            && (_source?.Matches(@event.Source) ?? true)
            && (_group?.Matches(@event.Group) ?? true),
        _ => false,
    };

    /// <summary>True if it matches an event that was not found by a key.</summary>
    public bool Matches(Event @event) => Matches(new FilteredMessage(@event));

    // The pattern says itself how its part begins.
    private bool Matches(FilteredMessage @event) =>
        (!HasName || KeyOf(@event) == Key) && MatchesBesideKey(@event);

    // The part that fits the fewest events, as far as one can tell: one that is named in full, else the one of which
    // most is known.
    private static (ObserverIndex Index, string Key, bool IsBeginning) Choose(
        params ReadOnlySpan<(ObserverIndex Index, NamePattern? Pattern)> parts)
    {
        var chosen = (Index: ObserverIndex.None, Key: "", IsBeginning: false);
        foreach (var (index, pattern) in parts)
        {
            if (pattern?.Exact is { } exact)
            {
                return (index, exact, false);
            }

            if (pattern?.Beginning.Length > chosen.Key.Length)
            {
                chosen = (index, pattern.Beginning, true);
            }
        }

        return chosen;
    }

    private static NamePattern? Part(string pattern) => pattern.Length == 0 ? null : new NamePattern(pattern);

    private string? KeyOf(FilteredMessage @event) => Index switch
    {
        ObserverIndex.Target => @event.Target,
        ObserverIndex.Group => @event.Group,
        ObserverIndex.ChangedSource => @event.HasStateChange ? @event.Source : null,
        ObserverIndex.Source => @event.Source,
        _ => @event.Name,
    };
}
