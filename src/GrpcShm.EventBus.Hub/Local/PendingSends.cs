using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Local;

/// <summary>
/// Counts the sends of the hub's own process that wait: for room in a mailbox, or for an acknowledgement. Any thread.
/// </summary>
/// <remarks>
/// A sender asks for room first, and is counted when it has to wait. So a send that does not wait touches no shared
/// counter. Several threads that send at the same moment can exceed the bound by as many sends.
/// </remarks>
internal sealed class PendingSends(int most)
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Refuses one more send if too many wait.</summary>
    public Verdict CheckRoom() => Count < most ? Verdict.Ok : Verdict.TooManyPending(most);

    public void Begin() => Interlocked.Increment(ref _count);

    public void End() => Interlocked.Decrement(ref _count);
}
