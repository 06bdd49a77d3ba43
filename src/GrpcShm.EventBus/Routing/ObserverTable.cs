using System.Collections.Concurrent;
using GrpcShm.EventBus.Mailboxes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>The subscriptions that are no inboxes: they get copies.</summary>
internal sealed class ObserverTable
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Subscriber[]> _byMachine = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Subscriber[]> _byGroup = new(StringComparer.Ordinal);
    private (Subscription Filter, Subscriber Subscriber)[] _byPattern = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add(Subscription filter, Subscriber subscriber)
    {
        lock (_lock)
        {
            switch (filter.FilterCase)
            {
                case Subscription.FilterOneofCase.Machine:
                    _byMachine.AddOrUpdate(filter.Machine, [subscriber], (_, others) => [.. others, subscriber]);
                    break;
                case Subscription.FilterOneofCase.Group:
                    _byGroup.AddOrUpdate(filter.Group, [subscriber], (_, others) => [.. others, subscriber]);
                    break;
                default:
                    _byPattern = [.. _byPattern, (filter, subscriber)];
                    break;
            }

            _count++;
        }
    }

    public void Remove(Subscription filter, Subscriber subscriber)
    {
        lock (_lock)
        {
            switch (filter.FilterCase)
            {
                case Subscription.FilterOneofCase.Machine:
                    Remove(_byMachine, filter.Machine, subscriber);
                    break;
                case Subscription.FilterOneofCase.Group:
                    Remove(_byGroup, filter.Group, subscriber);
                    break;
                default:
                    _byPattern = [.. _byPattern.Where(entry => entry.Subscriber != subscriber)];
                    break;
            }

            _count--;
        }
    }

    /// <summary>Gives copies of an event to whoever wants them.</summary>
    /// <param name="event">The event.</param>
    /// <param name="size">Its encoded size.</param>
    /// <param name="now">When it was accepted, for the metrics.</param>
    /// <param name="group">The group that it was published to; or none.</param>
    /// <param name="context">What is left to do afterwards.</param>
    /// <returns>How many mailboxes took it.</returns>
    public int Put(Event @event, int size, long now, string? group, RoutingContext context)
    {
        if (Count == 0)
        {
            return 0;
        }

        var item = new MailItem(@event, size, null, now);
        var accepted = 0;
        if (@event.Target.Length > 0 && _byMachine.TryGetValue(@event.Target, out var subscribers))
        {
            accepted += PutAll(subscribers, item, context);
        }

        if (group is not null && _byGroup.TryGetValue(group, out subscribers))
        {
            accepted += PutAll(subscribers, item, context);
        }

        foreach (var (filter, subscriber) in Volatile.Read(ref _byPattern))
        {
            if (Matches(filter, @event) && subscriber.Put(item, context) is PutResult.Accepted)
            {
                accepted++;
            }
        }

        return accepted;
    }

    private static int PutAll(Subscriber[] subscribers, in MailItem item, RoutingContext context)
    {
        var accepted = 0;
        foreach (var subscriber in subscribers)
        {
            accepted += subscriber.Put(item, context) == PutResult.Accepted ? 1 : 0;
        }

        return accepted;
    }

    private static bool Matches(Subscription filter, Event @event) => filter.FilterCase switch
    {
        Subscription.FilterOneofCase.All => true,
        Subscription.FilterOneofCase.StateChanges =>
            @event.StateChange is not null && Glob.Matches(filter.StateChanges, @event.Source),
        Subscription.FilterOneofCase.Pattern =>
            Glob.MatchesPart(filter.Pattern.Name, @event.Name)
            && Glob.MatchesPart(filter.Pattern.Target, @event.Target)
            && Glob.MatchesPart(filter.Pattern.Source, @event.Source)
            && Glob.MatchesPart(filter.Pattern.Group, @event.Group),
        _ => false,
    };

    private static void Remove(ConcurrentDictionary<string, Subscriber[]> table, string key, Subscriber subscriber)
    {
        if (table.TryGetValue(key, out var subscribers))
        {
            Subscriber[] rest = [.. subscribers.Where(other => other != subscriber)];
            if (rest.Length == 0)
            {
                table.TryRemove(key, out _);
            }
            else
            {
                table[key] = rest;
            }
        }
    }
}
