namespace GrpcShm.Hosting.Tests;

internal static class TestTimeout
{
    /// <summary>Far more than anything here takes on a busy machine.</summary>
    public static readonly TimeSpan Value = TimeSpan.FromSeconds(30);

    public static DateTime Deadline => DateTime.UtcNow + Value;
}
