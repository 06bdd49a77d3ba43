using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Budgets;

/// <summary>
/// A bound, of a number or of bytes, for one session, within the hub's own for all of them. Any thread.
/// </summary>
/// <param name="most">How much there is.</param>
/// <param name="option">The name of the setting, for whoever is refused.</param>
/// <param name="parent">The hub's bound, of which all that is taken here is taken too.</param>
internal sealed class Quota(long most, string option, Quota? parent = null)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes some.</summary>
    /// <returns>The bound that is reached, and then nothing is taken; none if all is well.</returns>
    public Quota? Take(long amount)
    {
        // Between the two additions others may see too much used: at the bound itself somebody may be refused a moment
        // too early.
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
    /// Takes some whether or not there is room, or gives some back: for what exists already and only changes its place,
    /// and for what has been found to have room.
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

    /// <summary>Whether there is room within this bound alone. Only of use where all who take hold one lock.</summary>
    /// <returns>This one if it would be exceeded; none if there is room.</returns>
    public Quota? CheckOwnRoom(long amount) => amount > 0 && Used + amount > most ? this : null;

    /// <summary>What to answer to whoever reached the bound.</summary>
    /// <param name="what">What there are too many of, with a verb: "The session has".</param>
    public Verdict Exhausted(string what) => Verdict.Exhausted($"{what} its limit of {most} ({option}).");
}
