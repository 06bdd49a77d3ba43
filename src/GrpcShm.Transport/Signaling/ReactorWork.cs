namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Foreign code that a received frame leads to: a handler, a continuation, a callback. It runs on the reactor that
/// received the frame, which is away meanwhile, or on the thread pool; see <see cref="RunProfile"/>. An instance is
/// under way once at a time.
/// </summary>
internal abstract class ReactorWork : IThreadPoolWorkItem
{
    /// <summary>What is known of such work, and where it runs.</summary>
    public abstract RunProfile Profile { get; }

    /// <summary>Does the work. What it throws is its own to handle; what it lets through ends the process.</summary>
    public abstract void Run();

    /// <summary>Lets the work run: here on this reactor's thread, when it has served its rings, or on the pool.</summary>
    public void Schedule()
    {
        if (Reactor.Running is { } reactor && Profile.MayRunInline && reactor.TryQueue(this))
        {
            return;
        }

        RunOnPool();
    }

    /// <summary>Lets the work run on the thread pool.</summary>
    public void RunOnPool() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();

        // The work may be reused as soon as it runs.
        var profile = Profile;
        Run();
        profile.Record(System.Diagnostics.Stopwatch.GetTimestamp() - started);
    }
}
