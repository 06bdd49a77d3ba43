namespace GrpcShm.Transport.Platform;

/// <summary>
/// Waits for many doorbells and sockets at once. Each event is reported once; <see cref="IPollSource"/> says which
/// there are.
/// </summary>
internal abstract class Poller : IDisposable
{
    /// <summary>The token of <see cref="Wake"/>. No source may be added with this token.</summary>
    public const ulong WakeToken = 0;

    /// <summary>Starts watching a source, which is also reported if it is ready already. Any thread.</summary>
    /// <exception cref="IOException">The system has no room for another source.</exception>
    public abstract void Add(IPollSource source, ulong token);

    /// <summary>
    /// Stops watching a source. Must be called before the source's owner is disposed of, since the peer may hold the
    /// same system object open. An event that is on its way may still be reported. Any thread.
    /// </summary>
    public abstract void Remove(IPollSource source);

    /// <summary>Waits. One thread at a time.</summary>
    /// <param name="events">Where the events go.</param>
    /// <param name="block">Whether to wait until there is an event.</param>
    /// <returns>The number of events; may be 0 although <paramref name="block"/> is set.</returns>
    public int Wait(Span<PollEvent> events, bool block) => Wait(events, block ? Timeout.Infinite : 0);

    /// <summary>Waits for some time. One thread at a time.</summary>
    /// <param name="events">Where the events go.</param>
    /// <param name="milliseconds">How long, 0 for not at all, or <see cref="Timeout.Infinite"/>.</param>
    /// <returns>The number of events; may be 0 although the time is not over.</returns>
    public abstract int Wait(Span<PollEvent> events, int milliseconds);

    /// <summary>
    /// Ends the wait that is under way, or else the next wait, with an event of token <see cref="WakeToken"/>. Any
    /// thread.
    /// </summary>
    public abstract void Wake();

    /// <summary>
    /// Sleeps for the shortest time that the system allows, some tens of microseconds. No event ends the sleep. Returns
    /// at once on a system where the shortest time would be a millisecond or more.
    /// </summary>
    public abstract void Pause();

    /// <summary>Gives back the system objects. Called once, while no thread uses the poller.</summary>
    public abstract void Dispose();
}

/// <summary>Says that something has happened to the source that was added with a token.</summary>
internal readonly record struct PollEvent(ulong Token);
