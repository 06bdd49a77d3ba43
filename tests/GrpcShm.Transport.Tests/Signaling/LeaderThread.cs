namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>
/// Runs a test that leads a reactor on a thread of its own, which ends with the test: leading and cleaning leave their
/// marks on a thread.
/// </summary>
internal static class LeaderThread
{
    public static Task RunAsync(Action test) =>
        Task.Factory.StartNew(
            test, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).InTime();
}
