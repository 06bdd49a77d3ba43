using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Routing;

/// <summary>The subscriptions that are no inboxes. They get copies.</summary>
/// <remarks>
/// A subscription that names a machine, a group or an event in full is found by that name, and one that says how such a
/// name begins is found by that beginning. Both cost other events nothing. The rest is compared with each event. The
/// weight of all but the first kind has a bound for each session and for the hub, since any number of them may match an
/// event. The number of subscriptions of one session to the same name has a bound, too.
/// </remarks>
internal sealed class ObserverTable
{
    private const int MostNames = 1024;

    private readonly Lock _lock = new();
    private readonly TextIndex<Observer>[] _byPart =
        [.. Enum.GetValues<ObserverIndex>().Select(static _ => new TextIndex<Observer>())];

    private readonly SlotList<Observer> _others = new();
    private readonly NameShares _shares = new();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds a subscription, if its session and the hub may have one more.</summary>
    public Verdict Add(Observer observer)
    {
        var budget = observer.Budget;
        lock (_lock)
        {
            if (budget.Observers.Take(1) is { } full)
            {
                return full.Exhausted("The subscriptions that are no inboxes have reached");
            }

            var verdict = observer.Filter.HasName ? AddByName(observer) : AddPattern(observer);
            if (!verdict.IsOk)
            {
                budget.Observers.Give(1);
                return verdict;
            }

            _count++;
            return verdict;
        }
    }

    public void Remove(Observer observer)
    {
        var filter = observer.Filter;
        lock (_lock)
        {
            if (filter.Index == ObserverIndex.None)
            {
                _others.Remove(observer);
            }
            else
            {
                var index = _byPart[(int)filter.Index];
                var sharing = filter.HasName ? index.Exact(filter.Key) : null;
                index.Remove(filter.Key, filter.IsKeyBeginning, observer);
                if (sharing is not null)
                {
                    _shares.NoteRemoved(sharing, observer.Budget);
                }
            }

            if (!filter.HasName)
            {
                observer.Budget.Patterns.Give(filter.Weight);
            }

            observer.Budget.Observers.Give(1);
            _count--;
        }
    }

    /// <summary>Gives copies of an event to the subscriptions that it matches.</summary>
    /// <param name="item">The event, without a sender that waits for an acknowledgement.</param>
    /// <param name="group">The group that it was published to; or none.</param>
    /// <param name="context">The work that is left to do afterwards.</param>
    /// <returns>How many mailboxes took it.</returns>
    public int Put(in MailItem item, string? group, RoutingContext context)
    {
        if (Count == 0)
        {
            return 0;
        }

        return PutByPart(ObserverIndex.Target, EventPart.Target, item, context)
            + (group is null ? 0 : PutByText(ObserverIndex.Group, group, item, context))
            + PutByPart(ObserverIndex.Source, EventPart.Source, item, context)
            + (item.Event.HasStateChange ? PutByPart(ObserverIndex.ChangedSource, EventPart.Source, item, context) : 0)
            + PutByPart(ObserverIndex.Name, EventPart.Name, item, context)
            + PutAll(_others.Places, item, context);
    }

    /// <summary>True if a subscription could match an event that is sent, of whatever name.</summary>
    /// <remarks>There may be very many names of events. It is no fault to say yes, so not all are looked at.</remarks>
    public bool MayObserve(string source, string target) =>
        Count > 0
        && (MayObserve(_byPart[(int)ObserverIndex.Target].Find(target), source, target)
            || MayObserve(_byPart[(int)ObserverIndex.Source].Find(source), source, target)
            || MayObserve(_others.Places, source, target)
            || _byPart[(int)ObserverIndex.Name].MayHave(
                observer => observer.Filter.MayMatchSend(source, target), MostNames));

    private static bool MayObserve(TextIndex<Observer>.Matches found, string source, string target)
    {
        foreach (var observers in found)
        {
            if (MayObserve(observers, source, target))
            {
                return true;
            }
        }

        return false;
    }

    private static bool MayObserve(ReadOnlySpan<Observer?> observers, string source, string target)
    {
        foreach (var observer in observers)
        {
            if (observer?.Filter.MayMatchSend(source, target) is true)
            {
                return true;
            }
        }

        return false;
    }

    private static int PutAll(ReadOnlySpan<Observer?> observers, in MailItem item, RoutingContext context)
    {
        var accepted = 0;
        foreach (var observer in observers)
        {
            if (observer is not null
                && observer.Filter.MatchesBesideKey(item.Event)
                && observer.Subscriber.Put(item, context) == PutResult.Accepted)
            {
                accepted++;
            }
        }

        return accepted;
    }

    private Verdict AddByName(Observer observer)
    {
        var filter = observer.Filter;
        var index = _byPart[(int)filter.Index];
        if (!_shares.HasRoom(index.Exact(filter.Key), observer.Budget))
        {
            return Verdict.Exhausted(
                $"The session has {NameShares.Most} subscriptions to '{filter.Key}' already, which is the limit.");
        }

        index.Add(filter.Key, isBeginning: false, observer);
        _shares.NoteAdded(index.Exact(filter.Key)!, observer.Budget);
        return Verdict.Ok;
    }

    private Verdict AddPattern(Observer observer)
    {
        var filter = observer.Filter;
        if (observer.Budget.Patterns.Take(filter.Weight) is { } full)
        {
            return full.Exhausted("The patterns with wildcards, which each event is compared with, have reached");
        }

        if (filter.Index == ObserverIndex.None)
        {
            _others.Add(observer);
        }
        else
        {
            _byPart[(int)filter.Index].Add(filter.Key, isBeginning: true, observer);
        }

        return Verdict.Ok;
    }

    // A text that no subscription is found by is not decoded.
    private int PutByPart(ObserverIndex index, EventPart part, in MailItem item, RoutingContext context) =>
        _byPart[(int)index].IsEmpty ? 0 : PutByText(index, item.Event.Text(part), item, context);

    private int PutByText(ObserverIndex index, string text, in MailItem item, RoutingContext context)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        var accepted = 0;
        foreach (var observers in _byPart[(int)index].Find(text))
        {
            accepted += PutAll(observers, item, context);
        }

        return accepted;
    }
}
