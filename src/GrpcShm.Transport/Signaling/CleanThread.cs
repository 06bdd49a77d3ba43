namespace GrpcShm.Transport.Signaling;

/// <summary>Makes a reactor's thread as it was before foreign code ran on it.</summary>
internal static class CleanThread
{
    private static readonly ExecutionContext Clean = CaptureClean();

    /// <summary>
    /// Drops what the last work left behind: values of <see cref="AsyncLocal{T}"/>, cultures among them, a
    /// synchronization context, a name, a priority, a thread that the process waits for. What one call sets must not
    /// reach the next.
    /// </summary>
    /// <param name="name">The thread's own name.</param>
    public static void Restore(string name)
    {
        ExecutionContext.Restore(Clean);
        if (SynchronizationContext.Current is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }

        var thread = Thread.CurrentThread;
        if (!ReferenceEquals(thread.Name, name))
        {
            thread.Name = name;
        }

        if (thread.Priority != ThreadPriority.Normal)
        {
            thread.Priority = ThreadPriority.Normal;
        }

        if (!thread.IsBackground)
        {
            thread.IsBackground = true;
        }
    }

    private static ExecutionContext CaptureClean()
    {
        // The context of a thread that was started without one, however the type came to be initialized.
        ExecutionContext? clean = null;
        var thread = new Thread(() => clean = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return clean!;
    }
}
