using System.Diagnostics;
using System.Globalization;
using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// Much at once, for a while. <c>GRPCSHM_SOAK_SECONDS</c> says for how long; then there are ten times as many machines,
/// too. Without it both are short, so that the tests of a change are not long.
/// </summary>
[Collection(nameof(SoakTests))]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Machines = 10;

    private static readonly string? SoakTime = Environment.GetEnvironmentVariable("GRPCSHM_SOAK_SECONDS");
    private static readonly int Seconds = int.Parse(SoakTime ?? "2", CultureInfo.InvariantCulture);
    private static readonly int ManyMachines = SoakTime is null ? 1_000 : 10_000;

    // What the processes may take besides the time of the soak. It guards against a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // Show these lines by the runner's option -showLiveOutput.
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("shm")]
    [InlineData("lane")]
    public async Task SendEvent_TenProducersToTenConsumers_NothingIsLostDoubledOrReordered(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var consumers = await way.StartAsync("consumers", hub.Address, "0", "5", $"{Machines}");
        await using var moreConsumers = await way.StartAsync("consumers", hub.Address, "5", "10", $"{Machines}");
        await using var producers = await way.StartAsync(
            "producers", hub.Address, "0", "5", $"{Machines}", $"{Seconds}");
        await using var moreProducers = await way.StartAsync(
            "producers", hub.Address, "5", "10", $"{Machines}", $"{Seconds}");
        var time = TimeSpan.FromSeconds(Seconds) + Patience;

        await producers.WriteLineAsync("go");
        await moreProducers.WriteLineAsync("go");

        var done = Task.WhenAll(producers.ReadLineAsync(time), moreProducers.ReadLineAsync(time));
        await ShowProgressAsync(done);
        var sent = (await done).Sum(line => Count("done", line));
        var received =
            Count("good", await consumers.ReadLineAsync(time)) + Count("good", await moreConsumers.ReadLineAsync(time));
        Assert.Equal(sent, received);
        Assert.True(sent > 0);
        foreach (var some in new[] { producers, moreProducers })
        {
            var overLanes = Count("over lanes", await some.ReadLineAsync(time));
            output.WriteLine($"over lanes: {overLanes} of {sent}");
            Assert.Equal(way.UsesLanes, overLanes > 0);
        }
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Register_VeryManyMachines_AllAnswer(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        await using var machines = await ChildProcess.StartWithinAsync(
            Patience, "many-machines", hub.Address, $"{ManyMachines}");
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { AcknowledgementTimeout = Patience }).InTime(out var client);
        await client.ConnectAsync().InTime();

        var replies = await Task.WhenAll(
            Enumerable.Range(0, ManyMachines).Select(i => client.RequestAsync("s", $"machine-{i}", "WHO")))
            .WaitAsync(Patience * 2, TestContext.Current.CancellationToken);

        for (var i = 0; i < ManyMachines; i++)
        {
            Assert.Equal($"machine-{i}", replies[i].GetPayload<string>());
        }
    }

    private async Task ShowProgressAsync(Task done)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(ProgressInterval);
        while (await Task.WhenAny(done, timer.WaitForNextTickAsync().AsTask()) != done)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"producers send: {Stopwatch.GetElapsedTime(started).TotalSeconds:0} of {Seconds} s"));
        }
    }

    private static long Count(string word, string? line)
    {
        Assert.NotNull(line);
        Assert.StartsWith(word + " ", line, StringComparison.Ordinal);
        return long.Parse(line[word.Length..], CultureInfo.InvariantCulture);
    }
}
