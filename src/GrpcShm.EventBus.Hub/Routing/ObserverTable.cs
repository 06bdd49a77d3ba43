using System.Collections.Concurrent;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Routing;

/// <summary>The subscriptions that are no inboxes. They get copies.</summary>
/// <remarks>
/// A subscription that names a machine, a group or an event in full is found by that name and costs other events
/// nothing. The others are compared with each event, so their weight has a bound for each session and for the hub. The
/// number of subscriptions of one session to the same name has a bound, too, since an event of that name is put into
/// the mailbox of each.
/// </remarks>
internal sealed class ObserverTable
{
    private const int MostOfOneName = 64;
    private const int MostNames = 1024;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Observer[]>[] _byKey =
    [
        .. Enum.GetValues<ObserverIndex>()
            .Select(static _ => new ConcurrentDictionary<string, Observer[]>(StringComparer.Ordinal)),
    ];

    // How many keys each of them has. Where there is none, no event is looked up.
    private readonly int[] _keys = new int[Enum.GetValues<ObserverIndex>().Length];
    private Observer[] _others = [];
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

            var verdict = Verdict.Ok;
            if (observer.Filter.Index == ObserverIndex.None)
            {
                verdict = budget.Patterns.Take(observer.Filter.Weight)?.Exhausted(
                    "The patterns with wildcards, which each event is compared with, have reached") ?? Verdict.Ok;
                _others = verdict.IsOk ? [.. _others, observer] : _others;
            }
            else
            {
                var table = _byKey[(int)observer.Filter.Index];
                var sharing = table.TryGetValue(observer.Filter.Key, out var found) ? found : [];
                verdict = sharing.Count(other => other.Budget == budget) < MostOfOneName
                    ? Verdict.Ok
                    : Verdict.Exhausted(
                        $"The session has {MostOfOneName} subscriptions to '{observer.Filter.Key}' already, "
                        + "which is the limit.");
                if (verdict.IsOk)
                {
                    table[observer.Filter.Key] = [.. sharing, observer];
                    Volatile.Write(ref _keys[(int)observer.Filter.Index], table.Count);
                }
            }

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
        lock (_lock)
        {
            if (observer.Filter.Index == ObserverIndex.None)
            {
                observer.Budget.Patterns.Give(observer.Filter.Weight);
                _others = [.. _others.Where(other => other != observer)];
            }
            else
            {
                var table = _byKey[(int)observer.Filter.Index];
                Remove(table, observer);
                Volatile.Write(ref _keys[(int)observer.Filter.Index], table.Count);
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
            + (group is null ? 0 : PutByKey(ObserverIndex.Group, group, item, context))
            + PutByPart(ObserverIndex.Source, EventPart.Source, item, context)
            + (item.Event.HasStateChange ? PutByPart(ObserverIndex.ChangedSource, EventPart.Source, item, context) : 0)
            + PutByPart(ObserverIndex.Name, EventPart.Name, item, context)
            + PutAll(Volatile.Read(ref _others), item, context);
    }

    /// <summary>True if a subscription could match an event that is sent, of whatever name.</summary>
    public bool MayObserve(string source, string target) =>
        Count > 0
        && (MayObserve(Find(ObserverIndex.Target, target), source, target)
            || MayObserve(Find(ObserverIndex.Source, source), source, target)
            || MayObserve(Volatile.Read(ref _others), source, target)
            || MayObserveByName(source, target));

    private static bool MayObserve(Observer[] observers, string source, string target) =>
        Array.Exists(observers, observer => observer.Filter.MayMatchSend(source, target));

    // There may be very many names. It is no fault to say yes, so not all of them are looked at.
    private bool MayObserveByName(string source, string target)
    {
        var names = 0;
        foreach (var (_, observers) in _byKey[(int)ObserverIndex.Name])
        {
            if (++names > MostNames || MayObserve(observers, source, target))
            {
                return true;
            }
        }

        return false;
    }

    private Observer[] Find(ObserverIndex index, string key) =>
        _byKey[(int)index].TryGetValue(key, out var found) ? found : [];

    private static int PutAll(Observer[] observers, in MailItem item, RoutingContext context)
    {
        var accepted = 0;
        foreach (var observer in observers)
        {
            if (observer.Filter.MatchesBesideKey(item.Event)
                && observer.Subscriber.Put(item, context) == PutResult.Accepted)
            {
                accepted++;
            }
        }

        return accepted;
    }

    private static void Remove(ConcurrentDictionary<string, Observer[]> table, Observer observer)
    {
        if (table.TryGetValue(observer.Filter.Key, out var observers))
        {
            Observer[] rest = [.. observers.Where(other => other != observer)];
            if (rest.Length == 0)
            {
                table.TryRemove(observer.Filter.Key, out _);
            }
            else
            {
                table[observer.Filter.Key] = rest;
            }
        }
    }

    // A text that no subscription is found by is not decoded.
    private int PutByPart(ObserverIndex index, EventPart part, in MailItem item, RoutingContext context) =>
        Volatile.Read(ref _keys[(int)index]) > 0 ? PutByKey(index, item.Event.Text(part), item, context) : 0;

    private int PutByKey(ObserverIndex index, string key, in MailItem item, RoutingContext context) =>
        key.Length > 0
        && Volatile.Read(ref _keys[(int)index]) > 0
        && _byKey[(int)index].TryGetValue(key, out var observers)
            ? PutAll(observers, item, context)
            : 0;
}
