using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Budgets;

/// <summary>
/// A bound of a number or of bytes for one session, within the hub's own bound for all of them. Any thread.
/// </summary>
/// <param name="most">The bound.</param>
/// <param name="option">The name of the setting, for callers that are refused.</param>
/// <param name="parent">The hub's bound. An amount that is taken here is taken there, too.</param>
internal sealed class Quota(long most, string option, Quota? parent = null)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes an amount.</summary>
    /// <returns>The bound that is reached, in which case nothing is taken; none if the amount was taken.</returns>
    public Quota? Take(long amount)
    {
        // Between the two additions other threads may see too much used: close to the bound one of them may be refused
        // a moment too early.
        if (Interlocked.Add(ref _used, amount) > most)
        {
            Interlocked.Add(ref _used, -amount);
            return this;
        }

        if (parent?.Take(amount) is { } full)
        {
            Interlocked.Add(ref _used, -amount);
            return full;
        }

        return null;
    }

    /// <summary>
    /// Takes an amount whether or not there is room, or gives it back: for items that exist already and only change
    /// their owner, and for items for which room was found before.
    /// </summary>
    public void Force(long amount)
    {
        Interlocked.Add(ref _used, amount);
        parent?.Force(amount);
    }

    public void Give(long amount)
    {
        Interlocked.Add(ref _used, -amount);
        parent?.Give(amount);
    }

    /// <summary>Checks for room within this bound only. It is of use where all takers hold one lock.</summary>
    /// <returns>This bound if the amount would exceed it; none if there is room.</returns>
    public Quota? CheckOwnRoom(long amount) => amount > 0 && Used + amount > most ? this : null;

    /// <summary>Makes the answer to a caller that reached the bound.</summary>
    /// <param name="what">The items of which there are too many, with a verb: "The session has".</param>
    public Verdict Exhausted(string what) => Verdict.Exhausted($"{what} its limit of {most} ({option}).");
}
