namespace GrpcShm.Hosting.Tests;

internal static class TestTimeout
{
    /// <summary>Far more than anything here takes on a busy machine.</summary>
    public static readonly TimeSpan Value = TimeSpan.FromSeconds(30);

    public static DateTime Deadline => DateTime.UtcNow + Value;

    /// <summary>Waits for what gives no signal of its own.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        for (var giveUpAt = Deadline; !condition();)
        {
            Assert.True(DateTime.UtcNow < giveUpAt, "It did not come about.");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }
}
