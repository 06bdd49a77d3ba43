using System.Runtime.InteropServices;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Budgets;

/// <summary>A bound of a number for each user, within the hub's own bound for all of them. Any thread.</summary>
/// <param name="what">The items of which there can be too many, in words.</param>
/// <param name="most">How many of them one user may have.</param>
/// <param name="option">The name of that setting, for callers that are refused.</param>
/// <param name="hub">The hub's bound.</param>
internal sealed class UserQuota(string what, long most, string option, Quota hub)
{
    private readonly Lock _lock = new();

    // Users that have none are not in it: in the course of time there may be any number of users.
    private readonly Dictionary<string, long> _used = new(StringComparer.Ordinal);

    /// <summary>How many users have at least one.</summary>
    public int Users
    {
        get
        {
            lock (_lock)
            {
                return _used.Count;
            }
        }
    }

    /// <summary>Takes one, if there is room.</summary>
    public Verdict Take(string userId)
    {
        lock (_lock)
        {
            var used = _used.GetValueOrDefault(userId);
            if (used >= most)
            {
                return Verdict.Exhausted($"The {what} of this user have reached their limit of {most} ({option}).");
            }

            if (hub.Take(1) is { } full)
            {
                return full.Exhausted($"The {what} have reached");
            }

            _used[userId] = used + 1;
            return Verdict.Ok;
        }
    }

    /// <summary>Gives one back.</summary>
    public void Give(string userId)
    {
        lock (_lock)
        {
            ref var used = ref CollectionsMarshal.GetValueRefOrNullRef(_used, userId);
            if (--used == 0)
            {
                _used.Remove(userId);
            }

            hub.Give(1);
        }
    }
}
