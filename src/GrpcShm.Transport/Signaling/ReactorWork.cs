using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Foreign code that a received frame leads to: a handler, a continuation, a callback. It runs on the reactor that
/// received the frame, which is away meanwhile, or on the thread pool; see <see cref="RunProfile"/>. An instance is
/// under way once at a time.
/// </summary>
internal abstract class ReactorWork : IThreadPoolWorkItem
{
    /// <summary>Decides where such work runs.</summary>
    public abstract RunProfile Profile { get; }

    /// <summary>
    /// Does the work, and handles its exceptions. If an exception gets out all the same, it comes from code that nobody
    /// awaits. Then it is treated like such an exception on the thread pool, see <see cref="RunHere"/>.
    /// </summary>
    public abstract void Run();

    /// <summary>
    /// Runs the work on a reactor's thread. An exception of foreign code is thrown again on the thread pool, where the
    /// code would have run with a socket. There the process's own rules for such exceptions hold: the process ends,
    /// unless a handler of <see cref="ExceptionHandling"/> says otherwise. The exception's stack shows whose code it
    /// is. The reactor and the connections of others are not affected.
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
    /// Lets the work run: on this reactor's thread, when it has served its rings, or on the pool.
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

    /// <summary>Called before the work is handed to the thread pool. Any thread, also a reactor's.</summary>
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
