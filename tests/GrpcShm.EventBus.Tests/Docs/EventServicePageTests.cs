using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Docs;

/// <summary><c>docs/reference/event-service.md</c>: its code is compiled here, and does what the page says.</summary>
public sealed partial class EventServicePageTests
{
    [Fact]
    public void Page_EveryLineOfItsCode_IsCompiled()
    {
        var compiled = Normalize(File.ReadAllText(
            Path.Join(SourceTree.Root, "tests", "GrpcShm.EventBus.Tests", "Docs", "EventServicePage.cs")));
        var page = File.ReadAllText(Path.Join(SourceTree.Root, "docs", "reference", "event-service.md"));

        var blocks = BlockPattern().Matches(page).Select(block => block.Groups[1].Value
            .Replace("\"shm:fab\"", "$\"shm:{Endpoint}\"", StringComparison.Ordinal)
            .Replace("\"fab\"", "Endpoint", StringComparison.Ordinal)).ToArray();

        Assert.True(blocks.Length >= 10);
        Assert.All(blocks, block => Assert.Contains(Normalize(block), compiled, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_ItsProgram_DoesWhatItSays()
    {
        EventServicePage.RunInline(WebApplication.CreateBuilder());
        Assert.IsType<SharedMemoryLanes>(EventServicePage.UseLanes().Lanes);
        EventServicePage.Authorize(WebApplication.CreateBuilder());
        EventServicePage.AuthorizeByPolicy(WebApplication.CreateBuilder());
        await using var hub = EventServicePage.Hub(["--Logging:LogLevel:Default=None"]);
        await hub.StartAsync().InTime();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.ClearProviders());
        EventServicePage.Services(services);
        await using var provider = services.BuildServiceProvider();
        var bus = provider.GetRequiredService<EventClient>();
        await bus.ConnectAsync().InTime();
        var shown = new ConcurrentQueue<string>();
        var ready = new TaskCompletionSource();
        using var scheduler = await bus.SubscribeAsync("scheduler", _ =>
        {
            ready.TrySetResult();
            return Task.CompletedTask;
        }).InTime();
        await using var oven = await EventServicePage.OvenAsync(hub).InTime();
        var heated = new TaskCompletionSource();
        using var cook = await bus.SubscribeAsync("cook", _ =>
        {
            heated.TrySetResult();
            return Task.CompletedTask;
        }).InTime();
        await bus.SendEventAsync("cook", "oven", "HEAT").InTime();
        await heated.Task.InTime();
        await EventServicePage.ObserveAsync(bus, shown.Enqueue).InTime();
        EventServicePage.Listen(bus, shown.Enqueue);

        using var channel = EventServicePage.Channel();
        using var robot = await EventServicePage.RobotAsync(channel).InTime();
        await ready.Task.InTime();
        await EventServicePage.PresenceAsync(bus, shown.Enqueue).InTime();
        Assert.Equal("at etcher", await EventServicePage.SendAsync(bus).InTime());
        using var clock = await EventServicePage.ClockAsync(bus).InTime();
        Assert.NotEmpty(await EventServicePage.RequestAsync(bus).InTime());
        var reached = await EventServicePage.PublishAsync(bus).InTime();
        Assert.Equal((1, reached.All - 1), (reached.Movers, reached.Others));

        var drawn = new TaskCompletionSource<string>();
        using var temperatures = await EventServicePage.TemperaturesAsync(bus, received =>
        {
            drawn.TrySetResult(received.SourceMachineId);
            return Task.CompletedTask;
        }).InTime();
        await bus.SendEventAsync("oven-1", "scheduler", "TEMPERATURE", 20.5).InTime();
        Assert.Equal("oven-1", await drawn.Task.InTime());

        var failed = await Assert.ThrowsAsync<EventBusException>(() => bus.SendEventAsync("s", "nobody", "E").InTime());
        Assert.Equal("nobody", failed.MachineId);
        await WaitForAsync(shown, "scheduler is stopped");
        await WaitForAsync(shown, "robot: Present");
        await WaitForAsync(shown, "E for nobody");
        Assert.NotNull(EventServicePage.Options().ConnectPipeline);
        await hub.StopAsync().InTime();
    }

    private static async Task WaitForAsync(ConcurrentQueue<string> shown, string beginning)
    {
        await TimeLimit.UntilAsync(() => shown.Any(line => line.StartsWith(beginning, StringComparison.Ordinal)));
    }

    // The page's blocks are not indented as their methods are.
    private static string Normalize(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BlockPattern();
}
