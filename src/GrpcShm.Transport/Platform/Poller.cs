namespace GrpcShm.Transport.Platform;

/// <summary>
/// Waits for many doorbells and sockets at once. Each event is reported once; <see cref="IPollSource"/> says which
/// there are.
/// </summary>
internal abstract class Poller : IDisposable
{
    /// <summary>The token of <see cref="Wake"/>, which nothing may be added under.</summary>
    public const ulong WakeToken = 0;

    /// <summary>Starts watching. What is ready already is reported, too. Any thread.</summary>
    /// <exception cref="IOException">The system has no room for another.</exception>
    public abstract void Add(IPollSource source, ulong token);

    /// <summary>
    /// Stops watching; must precede the disposal of what the source belongs to, since the peer may hold the same open.
    /// An event that is on its way may still be reported. Any thread.
    /// </summary>
    public abstract void Remove(IPollSource source);

    /// <summary>Waits. One thread at a time.</summary>
    /// <param name="events">Where the events go.</param>
    /// <param name="block">Whether to wait until there is one.</param>
    /// <returns>How many there are; may be none although <paramref name="block"/> is set.</returns>
    public int Wait(Span<PollEvent> events, bool block) => Wait(events, block ? Timeout.Infinite : 0);

    /// <summary>Waits for some time. One thread at a time.</summary>
    /// <param name="events">Where the events go.</param>
    /// <param name="milliseconds">How long, 0 for not at all, or <see cref="Timeout.Infinite"/>.</param>
    /// <returns>How many there are; may be none although the time is not over.</returns>
    public abstract int Wait(Span<PollEvent> events, int milliseconds);

    /// <summary>
    /// Lets a wait end that is under way, or else the next one, with an event of token <see cref="WakeToken"/>. Any
    /// thread.
    /// </summary>
    public abstract void Wake();

    /// <summary>
    /// Does nothing for the shortest time for which the system lets a thread sleep, some tens of microseconds, whatever
    /// happens meanwhile. Returns at once on a system where that would be a millisecond or more.
    /// </summary>
    public abstract void Pause();

    /// <summary>Gives back what it holds. Once, and while nobody uses it.</summary>
    public abstract void Dispose();
}

/// <summary>Something happened to what was added under a token.</summary>
internal readonly record struct PollEvent(ulong Token);
