using System.Runtime.ExceptionServices;

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

    /// <summary>
    /// Does the work. What it throws is its own to handle. What it lets through all the same comes from code that
    /// nobody awaits, and meets what such exceptions meet on the thread pool, see <see cref="RunHere"/>.
    /// </summary>
    public abstract void Run();

    /// <summary>
    /// Runs the work on a reactor's thread. What foreign code lets through is thrown again on the thread pool, where
    /// its continuation would have run over a socket: there the process's own rules for it hold (it ends, unless a
    /// handler of <see cref="ExceptionHandling"/> says otherwise), and the exception says whose it is. Neither the
    /// reactor nor anybody else's connections have to do with it.
    /// </summary>
    public void RunHere()
    {
        try
        {
            Run();
        }
        catch (Exception exception)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static thrown => thrown.Throw(), ExceptionDispatchInfo.Capture(exception), preferLocal: false);
        }
    }

    /// <summary>
    /// Lets the work run: here on this reactor's thread, when it has served its rings, or on the pool.
    /// </summary>
    public void Schedule()
    {
        if (Reactor.Running is { } reactor && Profile.MayRunInline && reactor.TryQueue(this))
        {
            return;
        }

        RunOnPool();
    }

    /// <summary>Lets the work run on the thread pool.</summary>
    public void RunOnPool()
    {
        OnQueued();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The work is about to be handed to the thread pool. Any thread, a reactor's, too.</summary>
    protected virtual void OnQueued()
    {
    }

    void IThreadPoolWorkItem.Execute()
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();

        // The work may be reused as soon as it runs.
        var profile = Profile;
        Run();
        profile.Record(System.Diagnostics.Stopwatch.GetTimestamp() - started);
    }
}
