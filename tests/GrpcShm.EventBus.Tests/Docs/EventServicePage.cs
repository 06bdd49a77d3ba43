using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Docs;

/// <summary>
/// The code of <c>docs/reference/event-service.md</c>, in its order. <see cref="EventServicePageTests"/> compares the
/// two, and runs this.
/// </summary>
internal static class EventServicePage
{
    /// <summary>What the page calls "fab".</summary>
    public static string Endpoint { get; } = $"page-{Environment.ProcessId}-{Guid.NewGuid():N}"[..30];

    public static WebApplication Hub(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(Endpoint));
        builder.Services.AddEventBus(hub => hub.MaxMachines = 10_000);
        builder.Services.AddHealthChecks().AddEventBus();

        var app = builder.Build();
        app.MapEventBus();
        app.MapHealthChecks("/healthz");
        return app;
    }

    public static async Task<LocalMachine> OvenAsync(WebApplication app)
    {
        var hub = app.Services.GetRequiredService<EventHub>();
        var oven = await hub.RegisterMachineAsync("oven", received =>
        {
            received.NewState = "hot";
            return hub.SendEventAsync("oven", received.SourceMachineId, "HEATED");
        });
        return oven;
    }

    public static EventBusClientOptions UseLanes()
    {
        var withLanes = new EventBusClientOptions { Lanes = new SharedMemoryLanes() };
        return withLanes;
    }

    public static void Authorize(WebApplicationBuilder builder)
    {
        builder.Services.AddEventBus(hub => hub.Authorize = access => access.Peer.UserId == "PeerCredentials:1000");
    }

    public static void AuthorizeByPolicy(WebApplicationBuilder builder)
    {
        builder.Services.AddEventBus(hub => hub.AuthorizationPolicy = "bus");
        builder.Services.AddAuthorization(options => options.AddPolicy("bus", policy => policy.RequireAssertion(
            context => context.Resource is EventBusAccess { Action: not EventBusAction.Observe }
                || context.User.IsInRole("operator"))));
    }

    public static void RunInline(WebApplicationBuilder builder)
    {
        builder.WebHost.UseSharedMemory(options => options.RunMode = RunMode.Inline);
    }

    public static SharedMemoryChannel Channel()
    {
        var channel = SharedMemoryChannel.ForAddress($"shm:{Endpoint}");
        return channel;
    }

    public static async Task<IDisposable> RobotAsync(SharedMemoryChannel channel)
    {
        var bus = new EventClient(channel, new EventBusClientOptions { Name = "robot's process" });
        await bus.ConnectAsync();

        var robot = await bus.RegisterMachineAsync("robot", async received =>
        {
            var order = received.GetPayload<MoveOrder>()!;
            await MoveAsync(order);
            received.NewState = $"at {order.To}";
        }, new MachineOptions { Groups = ["movers"] });

        await bus.SendEventAsync("robot", "scheduler", "READY");
        return new Both(robot, bus);
    }

    public static void Services(IServiceCollection services)
    {
        services.AddGrpcClient<XStateNet.Events.V1.EventBus.EventBusClient>().UseSharedMemory(Endpoint);
        services.AddEventBusClient(options => options.Name = "robot's process");
        services.AddHealthChecks().AddEventBusClient();
    }

    public static async Task<string> SendAsync(EventClient bus)
    {
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromSeconds(30),
        };
        var order = new MoveOrder("loadport", "etcher");
        var result = await bus.SendEventAsync("scheduler", "robot", "MOVE", order, options);
        Console.WriteLine($"The robot is {result.NewState}.");
        return result.NewState;
    }

    public static async Task<string> RequestAsync(EventClient bus)
    {
        var reply = await bus.RequestAsync("scheduler", "clock", "WHAT TIME", timeout: TimeSpan.FromSeconds(30));
        var time = reply.GetPayload<string>();
        return time!;
    }

    public static Task<IDisposable> ClockAsync(EventClient bus) =>
        bus.RegisterMachineAsync("clock", received =>
        {
            received.Reply(DateTime.UtcNow.ToString("O"));
            return Task.CompletedTask;
        });

    public static async Task<(int All, int Movers, int Others)> PublishAsync(EventClient bus)
    {
        var all = await bus.PublishAsync("SHIFT ENDS");
        var movers = await bus.PublishAsync("STOP", null, new EventPublishOptions { Group = "movers" });
        var others = await bus.PublishAsync(
            "HELLO", null, new EventPublishOptions { SourceMachineId = "scheduler", ExcludeSource = true });
        var change = new MachineStateChange { OldState = "running", NewState = "stopped" };
        await bus.PublishStateChangeAsync("scheduler", change);
        return (all, movers, others);
    }

    public static async Task<IDisposable> ObserveAsync(EventClient bus, Action<string> show)
    {
        var changes = await bus.SubscribeToStateChangesAsync("*", change =>
        {
            show($"{change.SourceMachineId} is {change.StateChange!.NewState}");
            return Task.CompletedTask;
        });
        return changes;
    }

    public static Task<IDisposable> TemperaturesAsync(EventClient bus, Func<BusEvent, Task> draw) =>
        bus.SubscribeToPatternAsync(
            new EventPattern { Source = "oven-?", Name = "TEMPERATURE" },
            draw,
            new MachineOptions { MailboxCapacity = 100, OverflowPolicy = OverflowPolicy.DropOldest });

    public static async Task<BusSubscription> PauseAsync(EventClient bus, Func<BusEvent, Task> move)
    {
        var subscription = (BusSubscription)await bus.SubscribeAsync("robot", move);
        subscription.Pause();
        subscription.Resume();
        return subscription;
    }

    public static async Task PresenceAsync(EventClient bus, Action<string> show)
    {
        await bus.WaitForMachineAsync("robot");
        await bus.SubscribeToMachinesAsync("*", machine =>
        {
            show($"{machine.MachineId}: {machine.Change} {machine.Reason}");
            return Task.CompletedTask;
        });
    }

    public static void Listen(EventClient bus, Action<string> log)
    {
        bus.SendFailed += (_, failure) =>
            log($"{failure.EventName} for {failure.TargetMachineId}: {failure.Exception.Message}");
        bus.HandlerFailed += (_, failure) => log($"{failure.Event.EventName}: {failure.Exception.Message}");
        bus.EventsLost += (_, loss) => log($"{loss.Subscription} was too slow: {loss.Dropped} dropped");
        bus.ConnectionChanged += (_, change) => log($"{change.State} {change.Reason?.Message}");
        bus.MachineLost += (_, loss) => log($"{loss.Subscription} could not be restored: {loss.Exception.Message}");
    }

    public static EventBusClientOptions Options()
    {
        var options = new EventBusClientOptions
        {
            SendPipeline = ResiliencePipeline.Empty,
            ConnectPipeline = new ResiliencePipelineBuilder()
                .AddRetry(new RetryStrategyOptions
                {
                    MaxRetryAttempts = int.MaxValue, Delay = TimeSpan.FromMilliseconds(100),
                })
                .Build(),
        };
        return options;
    }

    private static Task MoveAsync(MoveOrder order) => Task.CompletedTask;

    internal sealed record MoveOrder(string From, string To);

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
