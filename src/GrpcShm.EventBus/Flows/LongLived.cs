namespace GrpcShm.EventBus.Flows;

/// <summary>Starts what lives longer than whoever starts it.</summary>
/// <remarks>
/// What a caller keeps in an <see cref="AsyncLocal{T}"/> (its span, its request, whose handler it is) belongs to the
/// caller's own flow. A task that lives on would carry it into all that it ever calls.
/// </remarks>
internal static class LongLived
{
    /// <summary>Runs it on the thread pool, in a flow of its own.</summary>
    public static Task Start(Func<Task> run)
    {
        // On the pool's thread the flow is not suppressed: what begins there is captured from there on, and nothing is
        // inherited.
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(run);
        }
    }
}
