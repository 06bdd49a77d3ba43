using GrpcShm.EventBus.Budgets;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Bounds how many subscriptions of one session may be found by the same name. The owner's lock guards it.
/// </summary>
/// <remarks>Only names with as many subscriptions as one session may have are counted by session.</remarks>
internal sealed class NameShares
{
    /// <summary>The bound. An event of that name is put into the mailbox of each.</summary>
    public const int Most = 64;

    private readonly Dictionary<SlotList<Observer>, Dictionary<SessionBudget, int>> _crowded = [];

    /// <summary>True if a session may have one more of a name.</summary>
    /// <param name="others">The subscriptions to the name; none if there are none.</param>
    /// <param name="budget">The session's budget.</param>
    public bool HasRoom(SlotList<Observer>? others, SessionBudget budget) =>
        others is not { Count: >= Most } || CountsOf(others).GetValueOrDefault(budget) < Most;

    /// <summary>Counts a subscription that has been added to those of its name.</summary>
    public void NoteAdded(SlotList<Observer> all, SessionBudget budget)
    {
        if (_crowded.TryGetValue(all, out var counts))
        {
            counts[budget] = counts.GetValueOrDefault(budget) + 1;
        }
    }

    /// <summary>Counts a subscription no more that has been removed from those of its name.</summary>
    public void NoteRemoved(SlotList<Observer> rest, SessionBudget budget)
    {
        if (rest.Count < Most)
        {
            _crowded.Remove(rest);
        }
        else if (_crowded.TryGetValue(rest, out var counts) && --counts[budget] == 0)
        {
            counts.Remove(budget);
        }
    }

    private Dictionary<SessionBudget, int> CountsOf(SlotList<Observer> all)
    {
        if (!_crowded.TryGetValue(all, out var counts))
        {
            _crowded[all] = counts = [];
            foreach (var observer in all.Places)
            {
                if (observer is not null)
                {
                    counts[observer.Budget] = counts.GetValueOrDefault(observer.Budget) + 1;
                }
            }
        }

        return counts;
    }
}
