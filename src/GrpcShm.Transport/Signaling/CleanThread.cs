namespace GrpcShm.Transport.Signaling;

/// <summary>Restores a reactor's thread to its state before foreign code ran on it.</summary>
internal static class CleanThread
{
    private static readonly ExecutionContext Clean = CaptureClean();

    /// <summary>
    /// Removes what the last work has set: values of <see cref="AsyncLocal{T}"/> (also the cultures), a synchronization
    /// context, a name, a priority, and that the process waits for the thread. A value that one call sets must not
    /// reach the next call.
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
        // Captured on a new thread, since the thread that initializes this type may have a context already.
        ExecutionContext? clean = null;
        var thread = new Thread(() => clean = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return clean!;
    }
}
