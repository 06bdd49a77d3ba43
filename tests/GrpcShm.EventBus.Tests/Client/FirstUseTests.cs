using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A client of the services connects by itself; one that the program makes says what to call.</summary>
public sealed class FirstUseTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _address = $"shm:first-use-{Guid.NewGuid():N}";

    public static TheoryData<string> Uses => [.. UsesByName.Keys];

    private static Dictionary<string, Func<EventClient, Task>> UsesByName { get; } = new()
    {
        ["send"] = static client => client.SendEventAsync("a", "b", "E"),
        ["publish"] = static client => client.PublishAsync("E"),
        ["subscribe"] = static client => client.SubscribeAsync("a", static _ => Task.CompletedTask),
        ["register"] = static client => client.RegisterMachineAsync("a", static _ => Task.CompletedTask),
        ["observe"] = static client => client.SubscribeToAllAsync(static _ => Task.CompletedTask),
        ["wait"] = static client => client.WaitForMachineAsync("a"),
    };

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Use_ClientThatWasNeverConnected_NamesTheCallToMake(string use)
    {
        using var channel = HubChannel.To(_address);
        await using var clientEnd = new EventClient(channel).InTime(out var client);

        var failure = await ClientTest.FailsAsync(UsesByName[use](client), StatusCode.Unavailable);

        Assert.Contains("Await its ConnectAsync", failure.Message, StringComparison.Ordinal);
        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task Start_HubInAnotherProcessStartsLater_MachinesOfTheHostAreRegistered()
    {
        var robot = new Robot();
        using var host = NewHost(services => services
            .AddSingleton(robot)
            .AddHostedService<Robot>(static provider => provider.GetRequiredService<Robot>()));
        var client = robot.Client = host.Services.GetRequiredService<EventClient>();

        await host.StartAsync(TestContext.Current.CancellationToken).InTime();

        Assert.Equal(EventBusConnectionState.Connecting, client.State);
        Assert.False(robot.Registered.IsCompleted);
        await using var hub = await ChildProcess.StartAsync("hub", _address);
        await robot.Registered.InTime();
        await TimeLimit.UntilAsync(() => client.State == EventBusConnectionState.Connected);
        await host.StopAsync(TestContext.Current.CancellationToken).InTime();
    }

    [Fact]
    public async Task Start_NoHub_HostStartsAndStops()
    {
        using var host = NewHost(static _ => { });
        await host.StartAsync(TestContext.Current.CancellationToken).InTime();
        await host.StopAsync(TestContext.Current.CancellationToken).InTime();
    }

    [Fact]
    public async Task Start_WithoutAGrpcClient_SaysWhatIsMissing()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddEventBusClient();
        using var host = builder.Build();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken).InTime());

        Assert.Contains("AddGrpcClient", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Use_ClientOfServicesWithoutAHost_ConnectsAtItsFirstUse()
    {
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        using var channel = HubChannel.To(hub.Socket);
        await using var provider = NewServices(channel).BuildServiceProvider();
        var client = provider.GetRequiredService<EventClient>();
        Assert.Equal(EventBusConnectionState.Disconnected, client.State);

        var events = await ClientTest.ReceiveAsync(client, "m");
        await client.SendEventAsync("", "m", "E").InTime();

        Assert.Equal("E", (await events.ReadAsync(TestContext.Current.CancellationToken).InTime()).EventName);
        await TimeLimit.UntilAsync(() => client.State == EventBusConnectionState.Connected);
    }

    [Fact]
    public async Task Use_ManyAtOnceAsTheFirst_AllSucceed()
    {
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        using var channel = HubChannel.To(hub.Socket);
        await using var provider = NewServices(channel).BuildServiceProvider();
        var client = provider.GetRequiredService<EventClient>();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(
            () => client.RegisterMachineAsync($"m{i}", static _ => Task.CompletedTask)))).InTime();

        Assert.Equal(50, await client.ListMachinesAsync().CountAsync().InTime());
    }

    [Fact]
    public async Task Use_ClientOfServicesThatWasDisconnected_StaysSoAndNamesTheCallToMake()
    {
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        using var channel = HubChannel.To(hub.Socket);
        await using var provider = NewServices(channel).BuildServiceProvider();
        var client = provider.GetRequiredService<EventClient>();
        await ClientTest.ReceiveAsync(client, "m");

        await client.DisconnectAsync(TestContext.Current.CancellationToken).InTime();

        var failure = await ClientTest.FailsAsync(client.SendEventAsync("", "m", "E"), StatusCode.Unavailable);
        Assert.Contains("Call ConnectAsync", failure.Message, StringComparison.Ordinal);
        await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();
        await ClientTest.ReceiveAsync(client, "m");
    }

    [Fact]
    public async Task Connect_NoHub_SaysTheReasonOnce()
    {
        using var channel = HubChannel.To(_address);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(200) })
            .InTime(out var client);

        // On a busy machine the time may be over before the first attempt has failed: then there is no reason yet.
        EventBusException failure = null!;
        await TimeLimit.UntilAsync(async () =>
        {
            failure = await ClientTest.FailsAsync(
                client.ConnectAsync(TestContext.Current.CancellationToken), StatusCode.Unavailable);
            return failure.InnerException is not null;
        });

        Assert.Equal(2, failure.Message.Split($"No server listens on '{_address}'").Length);
        Assert.Equal(2, failure.Message.Split("Start the server").Length);
    }

    private static ServiceCollection NewServices(HubChannel channel)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new Contract.EventBusClient(channel));
        services.AddEventBusClient();
        return services;
    }

    private IHost NewHost(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services
            .AddGrpcClient<Contract.EventBusClient>()
            .UseSharedMemory(_address, static options => options.ConnectTimeout = HubChannel.ConnectTimeout);
        builder.Services.AddEventBusClient();
        configure(builder.Services);
        return builder.Build();
    }

    /// <summary>A service of the program that registers its machine when the host starts.</summary>
    private sealed class Robot : IHostedService
    {
        public EventClient Client { get; set; } = null!;

        public Task Registered { get; private set; } = Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Registered = Client.RegisterMachineAsync(
                "robot", static _ => Task.CompletedTask, cancellationToken: CancellationToken.None);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
