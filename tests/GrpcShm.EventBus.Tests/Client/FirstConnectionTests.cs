using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// The hub is not there yet, or refuses at first: what becomes of the attempts to connect, and what the program learns.
/// </summary>
public sealed class FirstConnectionTests : IDisposable
{
    private static readonly Status Unimplemented = new(StatusCode.Unimplemented, "No such service.");

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_GivenUpWhileASubscriptionWaits_TheAttemptsGoOn(bool isLate)
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var provider = NewServices(
            channel, options => options.ConnectTimeout = isLate ? TimeSpan.FromMilliseconds(50) : TimeLimit.Value);
        var client = provider.GetRequiredService<EventClient>();
        var registered = client.RegisterMachineAsync("m", static _ => Task.CompletedTask);
        using var cancellation = new CancellationTokenSource();

        var connecting = client.ConnectAsync(cancellation.Token);
        if (isLate)
        {
            await ClientTest.FailsAsync(connecting, StatusCode.Unavailable);
        }
        else
        {
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.InTime());
        }

        Assert.Equal(EventBusConnectionState.Connecting, client.State);
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        await registered.InTime();
        await TimeLimit.UntilAsync(() => client.State == EventBusConnectionState.Connected);
    }

    [Fact]
    public async Task Connect_OneOfTwoCallersGivesUp_TheOtherIsConnected()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeLimit.Value }).InTime(out var client);
        using var cancellation = new CancellationTokenSource();
        var first = client.ConnectAsync(cancellation.Token);
        var second = client.ConnectAsync(TestContext.Current.CancellationToken);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.InTime());
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        await second.InTime();
        Assert.Equal(EventBusConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task Connect_TheLastCallerGivesUp_TheAttemptsEnd()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        using var cancellation = new CancellationTokenSource();
        Task[] callers = [client.ConnectAsync(cancellation.Token), client.ConnectAsync(cancellation.Token)];

        await cancellation.CancelAsync();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller.InTime());
        }

        await TimeLimit.UntilAsync(() => client.State == EventBusConnectionState.Disconnected);
    }

    [Fact]
    public async Task Use_AfterARefusalThatIsFinal_ConnectsAgain()
    {
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static attempt => attempt == 1 ? Unimplemented : null);
        await using var provider = NewServices(
            channel, static options => options.PauseAfterRefusal = TimeSpan.Zero, sessions);
        var client = provider.GetRequiredService<EventClient>();
        var disconnected = ToldOfDisconnection(client);

        var failure = await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);

        Assert.Contains("first use after 0 s connects it again", failure.Message, StringComparison.Ordinal);
        await disconnected.InTime();
        await client.PublishAsync("E").InTime();
        Assert.Equal(2, sessions.Attempts);
    }

    [Fact]
    public async Task Use_SoonAfterARefusalThatIsFinal_SaysTheReasonAndAsksNotTheHub()
    {
        using var channel = HubChannel.To(_directory.Socket);
        var logs = new RecordingLoggerProvider();
        var sessions = new FailingSessions(static _ => Unimplemented);
        await using var provider = NewServices(
            channel, static options => options.PauseAfterRefusal = TimeSpan.FromDays(1), sessions, logs);
        var client = provider.GetRequiredService<EventClient>();
        var disconnected = ToldOfDisconnection(client);
        await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);
        await disconnected.InTime();

        var failure = await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);

        Assert.Contains("No such service", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, sessions.Attempts);
        Assert.Contains(logs.Lines, static line =>
            line.StartsWith("Error ConnectingEnded:", StringComparison.Ordinal)
            && line.Contains("No such service", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disconnect_AfterARefusalThatIsFinal_NoUseConnects()
    {
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static attempt => attempt == 1 ? Unimplemented : null);
        await using var provider = NewServices(
            channel, static options => options.PauseAfterRefusal = TimeSpan.Zero, sessions);
        var client = provider.GetRequiredService<EventClient>();
        await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);

        await client.DisconnectAsync(TestContext.Current.CancellationToken).InTime();

        await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);
        Assert.Equal(1, sessions.Attempts);
        await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();
        await client.PublishAsync("E").InTime();
    }

    [Fact]
    public async Task Disconnect_BeforeTheFirstUse_SendsNameTheCallToMake()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var provider = NewServices(channel, static _ => { });
        var client = provider.GetRequiredService<EventClient>();

        await client.DisconnectAsync(TestContext.Current.CancellationToken).InTime();

        var failure = await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);
        Assert.Contains("Call ConnectAsync", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AddEventBusClient", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Use_OwnClientWithTheOptionsOfTheServices_DoesNotConnectByItself()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var provider = NewServices(channel, static _ => { });
        var options = provider.GetRequiredService<IOptions<EventBusClientOptions>>().Value;
        await using var clientEnd = new EventClient(channel, options).InTime(out var client);

        var failure = await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);

        Assert.Contains("has not been connected", failure.Message, StringComparison.Ordinal);
        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task Connecting_AttemptsFail_LogAndHealthSayWhyOnce()
    {
        using var channel = HubChannel.To(_directory.Socket);
        var logs = new RecordingLoggerProvider();
        var sessions = new FailingSessions(
            static attempt => new Status(StatusCode.Unavailable, attempt <= 2 ? "One reason." : "Another reason."));
        await using var provider = NewServices(channel, static _ => { }, sessions, logs);
        var client = provider.GetRequiredService<EventClient>();

        var publishing = client.PublishAsync("E");
        await TimeLimit.UntilAsync(() => sessions.Attempts >= 4);

        var report = await provider.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Equal(
            [
                "Warning ConnectFailed: An attempt to connect to the hub failed: Unavailable: One reason.",
                "Warning ConnectFailed: An attempt to connect to the hub failed: Unavailable: Another reason.",
            ],
            logs.Lines.Where(static line => line.StartsWith("Warning ConnectFailed", StringComparison.Ordinal)));
        var entry = report.Entries["eventbus-client"];
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("is Connecting.", entry.Description!, StringComparison.Ordinal);
        Assert.Contains("Unavailable: Another reason.", entry.Description!, StringComparison.Ordinal);
        await client.DisconnectAsync(TestContext.Current.CancellationToken).InTime();
        await ClientTest.FailsAsync(publishing, StatusCode.Unavailable);
    }

    [Fact]
    public async Task Send_WhileTheHubStaysAwayAtFirst_WaitsForIt()
    {
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static _ => null);
        await using var provider = NewServices(channel, static _ => { }, sessions);
        var client = provider.GetRequiredService<EventClient>();
        client.BeginByItself();

        // Four failures open the circuit breaker, which lets a fifth attempt through and opens again when it fails.
        await TimeLimit.UntilAsync(() => sessions.Attempts >= 5);
        var publishing = client.PublishAsync("E");

        Assert.False(publishing.IsCompleted);
        await using var hub = await HubServer.StartAsync(_directory.Socket);
        await publishing.InTime();
    }

    [Fact]
    public async Task Request_WhileTheHubStaysAwayAtFirst_EndsWithItsTimeout()
    {
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static _ => null);
        await using var provider = NewServices(channel, static _ => { }, sessions);
        var client = provider.GetRequiredService<EventClient>();
        client.BeginByItself();
        await TimeLimit.UntilAsync(() => sessions.Attempts >= 1);

        var failure = await ClientTest.FailsAsync(
            client.RequestAsync("s", "m", "E", timeout: TimeSpan.FromMilliseconds(1)), StatusCode.DeadlineExceeded);

        Assert.Contains("There was no connection to the hub in time", failure.Message, StringComparison.Ordinal);
    }

    private static Task ToldOfDisconnection(EventClient client)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionChanged += (_, change) =>
        {
            if (change.State == EventBusConnectionState.Disconnected)
            {
                told.TrySetResult();
            }
        };
        return told.Task;
    }

    private static ServiceProvider NewServices(
        HubChannel channel,
        Action<EventBusClientOptions> configure,
        Interceptor? interceptor = null,
        ILoggerProvider? logs = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            if (logs is not null)
            {
                logging.AddProvider(logs);
            }
        });
        services.AddSingleton(interceptor is null
            ? new Contract.EventBusClient(channel)
            : new Contract.EventBusClient(channel.Intercept(interceptor)));
        services.AddEventBusClient(configure);
        services.AddHealthChecks().AddEventBusClient();
        return services.BuildServiceProvider();
    }
}
