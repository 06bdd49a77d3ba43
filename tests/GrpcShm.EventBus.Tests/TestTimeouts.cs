namespace GrpcShm.EventBus.Tests;

/// <summary>How long a test waits for what must happen.</summary>
internal static class TestTimeouts
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(20);

    public static Task InTime(this Task task) => task.WaitAsync(Default);

    public static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Default);

    public static Task<T> InTime<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Default);

    public static Task InTime(this ValueTask task) => task.AsTask().WaitAsync(Default);
}
