namespace GrpcShm.EventBus.Flows;

/// <summary>Starts tasks that live longer than their callers.</summary>
/// <remarks>
/// A value that a caller keeps in an <see cref="AsyncLocal{T}"/> (its span, its request, its handler) belongs to the
/// caller's own flow. A task that lives on would carry it into all code that it ever calls.
/// </remarks>
internal static class LongLived
{
    /// <summary>Runs a method on the thread pool, in a flow of its own.</summary>
    public static Task Start(Func<Task> run)
    {
        // On the pool's thread the flow is not suppressed: it begins there, and inherits nothing.
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(run);
        }
    }
}
