using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>Waits for many doorbells and sockets at once. Edge-triggered: each event is reported once.</summary>
internal abstract class Poller : IDisposable
{
    /// <summary>Starts watching. What is ready already is reported, too. Any thread.</summary>
    /// <exception cref="IOException">The system has no room for another.</exception>
    public abstract void Add(SafeHandle handle, ulong token);

    /// <summary>
    /// Stops watching; must precede the closing of the handle, since the peer may hold what the handle refers to open.
    /// An event that is on its way may still be reported. Any thread.
    /// </summary>
    public abstract void Remove(SafeHandle handle);

    /// <summary>Waits. One thread at a time.</summary>
    /// <param name="events">Where the events go.</param>
    /// <param name="block">Whether to wait until there is one.</param>
    /// <returns>How many there are; may be none although <paramref name="block"/> is set.</returns>
    public abstract int Wait(Span<PollEvent> events, bool block);

    /// <summary>
    /// Does nothing for the shortest time for which the system lets a thread sleep, some tens of microseconds, whatever
    /// happens meanwhile.
    /// </summary>
    public abstract void Pause();

    public abstract void Dispose();
}

/// <summary>Something happened to what was added under a token.</summary>
internal readonly record struct PollEvent(ulong Token);
