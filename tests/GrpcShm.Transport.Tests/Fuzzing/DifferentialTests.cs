using GrpcShm.Differential;

namespace GrpcShm.Transport.Tests.Fuzzing;

/// <summary>
/// The comparison of direct mode with Kestrel over HTTP/2 finds a defect if there is one, and none if there is none.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class DifferentialTests : IDisposable
{
    private const int Seed = 1;

    // This only guards against a hang. Each step of a comparison has a limit of its own.
    private static readonly TimeSpan HangTime = TimeSpan.FromMinutes(10);

    private readonly TempDirectory _found = new();

    public void Dispose() => _found.Dispose();

    [Fact]
    public async Task Run_NothingPlanted_NothingDiffers()
    {
        var report = await RunAsync(requests: 256, responses: 64, plant: null);

        Assert.Equal(0, report.Found);
        Assert.Equal(256, report.Requests);
        Assert.Equal(64, report.Responses);
        Assert.True(report.Handled > 100, "Most requests have to reach the application.");
    }

    [Theory]
    [InlineData("path", 256)]
    [InlineData("scheme", 256)]
    [InlineData("header-case", 256)]
    [InlineData("values", 256)]
    [InlineData("body-size", 32)]
    public async Task Run_FaultPlanted_IsFound(string plant, long requests)
    {
        Assert.True((await RunAsync(requests, responses: 0, plant)).Found > 0);
        Assert.NotEmpty(Directory.GetFiles(_found.Path));
    }

    private Task<Report> RunAsync(long requests, long responses, string? plant) =>
        DifferentialRun.RunAsync(new Settings(requests, responses, Seed, First: 0, _found.Path, plant))
            .WaitAsync(HangTime, TestContext.Current.CancellationToken);
}
