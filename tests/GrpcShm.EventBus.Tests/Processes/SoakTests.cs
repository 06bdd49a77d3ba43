using System.Globalization;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Full speed for a while. <c>GRPCSHM_SOAK_SECONDS</c> says for how long; a minute if it is not set.</summary>
[Collection(nameof(SoakTests))]
public sealed class SoakTests
{
    private const int Machines = 10;

    private static readonly int Seconds = int.Parse(
        Environment.GetEnvironmentVariable("GRPCSHM_SOAK_SECONDS") ?? "60", CultureInfo.InvariantCulture);

    [Fact]
    public async Task SendEvent_TenProducersToTenConsumers_NothingIsLostDoubledOrReordered()
    {
        await using var hub = await HubProcess.StartAsync("shm");
        await using var consumers = await ChildProcess.StartAsync("consumers", hub.Address, "0", "5", $"{Machines}");
        await using var moreConsumers = await ChildProcess.StartAsync(
            "consumers", hub.Address, "5", "10", $"{Machines}");
        await using var producers = await ChildProcess.StartAsync(
            "producers", hub.Address, "0", "5", $"{Machines}", $"{Seconds}");
        await using var moreProducers = await ChildProcess.StartAsync(
            "producers", hub.Address, "5", "10", $"{Machines}", $"{Seconds}");
        var time = TimeSpan.FromSeconds(Seconds + 60);

        await producers.WriteLineAsync("go");
        await moreProducers.WriteLineAsync("go");

        var sent =
            Count("done", await producers.ReadLineAsync(time)) + Count("done", await moreProducers.ReadLineAsync(time));
        var received =
            Count("good", await consumers.ReadLineAsync(time)) + Count("good", await moreConsumers.ReadLineAsync(time));
        Assert.Equal(sent, received);
        Assert.True(sent > 0);
    }

    private static long Count(string word, string? line)
    {
        Assert.NotNull(line);
        Assert.StartsWith(word + " ", line, StringComparison.Ordinal);
        return long.Parse(line[word.Length..], CultureInfo.InvariantCulture);
    }
}
