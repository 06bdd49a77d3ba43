using System.Threading.Channels;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.TestProcess;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Sessions that a hub opens and ends again, and the sends that they leave without an answer.</summary>
public sealed class ShortSessionTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task SessionsThatEndAtOnce_CountAsFailedAttempts_SoThePipelineEndsThem()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (_, request) =>
        {
            var response = FakeHub.CarryOut(request);
            response.Closing = new SessionClosing
            {
                StatusCode = (int)StatusCode.Unavailable, Message = "By the test.",
            };
            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options(Retry(3))).InTime(out var client);
        var states = Watch(client);
        await client.ConnectAsync().InTime();

        EventBusConnectionChange change;
        do
        {
            change = await states.ReadAsync().InTime();
        }
        while (change.State != EventBusConnectionState.Disconnected);

        // Before the n-th session, n - 2 attempts fail in place of those before it. The pipeline allows three.
        Assert.Equal(5, hub.Sessions);
        Assert.StartsWith(
            "5 sessions ended as soon as they were opened", change.Reason!.Message, StringComparison.Ordinal);
        Assert.Contains("By the test.", change.Reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneSessionThatEndsAtOnce_CountsAsNoFailedAttempt()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (session, request) =>
                session == 1 && request.Commands.Any(command => command.Send is not null)
                    ? null
                    : FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);

        // One failed attempt ends this client.
        await using var clientEnd = new EventClient(channel, Options(ResiliencePipeline.Empty)).InTime(out var client);
        await client.ConnectAsync().InTime();

        // The session ends before it is answered, and the next one answers it.
        await client.SendEventAsync("s", "m", "E").InTime();
        await TimeLimit.UntilAsync(() => client.State == EventBusConnectionState.Connected);

        Assert.Equal(2, hub.Sessions);
    }

    [Fact]
    public async Task SendThatEndsEachSession_IsNotSentForEver()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (_, request) =>
                request.Commands.Any(command => command.Send?.Name == "POISON") ? null : FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options(Retry(int.MaxValue))).InTime(out var client);
        var failures = Channel.CreateUnbounded<EventSendFailure>();
        client.SendFailed += (_, failure) => failures.Writer.TryWrite(failure);
        await client.ConnectAsync().InTime();

        var poison = client.SendEventAsync("s", "m", "POISON");

        var failure = await ClientTest.FailsAsync(poison, StatusCode.Unavailable);
        Assert.Contains("It may have been handled", failure.Message, StringComparison.Ordinal);
        Assert.Equal("POISON", (await failures.Reader.ReadAsync().InTime()).EventName);
        await client.SendEventAsync("s", "m", "E").InTime();
    }

    [Fact]
    public async Task SendThatEndsEachSession_EndsByItsOwnTimeout()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (_, request) =>
                request.Commands.Any(command => command.Send is not null) ? null : FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);

        // After the session is lost, no attempt to connect ends.
        var sessions = new FailingSessions(static attempt =>
            attempt == 1 ? null : new Status(StatusCode.Unavailable, "The test has no hub any more."));
        await using var clientEnd = new EventClient(
            new Contract.EventBusClient(channel.Intercept(sessions)), Options(Retry(int.MaxValue)))
            .InTime(out var client);
        var failures = Channel.CreateUnbounded<EventSendFailure>();
        client.SendFailed += (_, failure) => failures.Writer.TryWrite(failure);
        await client.ConnectAsync().InTime();
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromMilliseconds(100),
        };

        var written = client.SendEventAsync("s", "m", "WRITTEN", null, options);
        await TimeLimit.UntilAsync(() => sessions.Attempts > 1);
        var queued = client.SendEventAsync("s", "m", "QUEUED", null, options);

        await ClientTest.FailsAsync(written, StatusCode.DeadlineExceeded);
        await ClientTest.FailsAsync(queued, StatusCode.DeadlineExceeded);

        // Each has a timer of its own, and a busy machine may be late with both.
        string[] told =
        [
            (await failures.Reader.ReadAsync().InTime()).EventName,
            (await failures.Reader.ReadAsync().InTime()).EventName,
        ];
        Assert.Equal(["QUEUED", "WRITTEN"], told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Disconnect_WhileItConnectsAgain_EndsTheSendsThatTheLostSessionLeft()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (_, request) =>
                request.Commands.Any(command => command.Send is not null) ? null : FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static attempt =>
            attempt == 1 ? null : new Status(StatusCode.Unavailable, "The test has no hub any more."));
        await using var clientEnd = new EventClient(
            new Contract.EventBusClient(channel.Intercept(sessions)), Options(Retry(int.MaxValue)))
            .InTime(out var client);
        await client.ConnectAsync().InTime();
        var left = client.SendEventAsync("s", "m", "E");
        await TimeLimit.UntilAsync(() => sessions.Attempts > 1);

        await client.DisconnectAsync().InTime();

        await ClientTest.FailsAsync(left, StatusCode.Unavailable);
        Assert.Equal(0, client.PendingSends);
    }

    [Fact]
    public async Task EventByWhichTheHubEndsTheSession_FailsAlone()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (_, request) =>
            request.Commands.All(command => command.Send?.Payload.Length is null or < 100_000)
                ? FakeHub.CarryOut(request)
                : new SessionResponse
                {
                    Closing = new SessionClosing
                    {
                        StatusCode = (int)StatusCode.ResourceExhausted,
                        Message = "At most 100000.",
                        MessageTooLarge = true,
                    },
                });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options(Retry(int.MaxValue))).InTime(out var client);
        await client.ConnectAsync().InTime();

        var before = client.SendEventAsync("s", "m", "BEFORE");
        var large = client.SendEventAsync("s", "m", "LARGE", new byte[100_000]);
        var behind = client.SendEventAsync("s", "m", "BEHIND");

        var failure = await ClientTest.FailsAsync(large, StatusCode.ResourceExhausted);
        Assert.StartsWith("The event has 1000", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("At most 100000.", failure.Message, StringComparison.Ordinal);
        await before.InTime();
        await behind.InTime();
        Assert.Equal(2, hub.Sessions);
    }

    [Fact]
    public async Task EventLargerThanAnOldHubReads_FailsAlone()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket, static (_, request) => FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options(Retry(int.MaxValue))).InTime(out var client);
        await client.ConnectAsync().InTime();

        Task[] large =
        [
            .. Enumerable.Range(0, 3).Select(i => client.SendEventAsync("s", "m", $"{i}", new byte[5_000_000])),
        ];
        var small = client.SendEventAsync("s", "m", "E");

        foreach (var sending in large)
        {
            var failure = await ClientTest.FailsAsync(sending, StatusCode.ResourceExhausted);
            Assert.StartsWith("The event has 50000", failure.Message, StringComparison.Ordinal);
        }

        await small.InTime();
        Assert.InRange(hub.Sessions, 2, 4);
    }

    [Fact]
    public async Task SessionsThatTakeLongToRestore_AreShortIfTheyEndBehindThat()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (_, request) =>
        {
            // Restoring takes longer than a short session.
            var begin = Environment.TickCount64;
            SpinWait.SpinUntil(() => Environment.TickCount64 - begin > 50);
            var response = FakeHub.CarryOut(request);
            response.Closing = new SessionClosing
            {
                StatusCode = (int)StatusCode.Unavailable, Message = "By the test.",
            };
            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel,
            new EventBusClientOptions { ConnectPipeline = Retry(3), ShortSession = TimeSpan.FromMilliseconds(10) })
            .InTime(out var client);
        var states = Watch(client);
        await client.ConnectAsync().InTime();

        await TimeLimit.UntilAsync(
            () => states.TryRead(out var change) && change.State == EventBusConnectionState.Disconnected);

        Assert.Equal(5, hub.Sessions);
    }

    [Fact]
    public async Task FailuresInPlaceOfSessions_DoNotOpenTheBreakerOfTheUsualPipeline()
    {
        var breaker = new CircuitBreakerStateProvider();
        var pipeline = DefaultPipelines.Connecting(breaker);
        var states = new List<CircuitState>();

        await pipeline.ExecuteAsync(
            _ =>
            {
                states.Add(breaker.CircuitState);
                return states.Count <= 5
                    ? throw new EventBusException(StatusCode.Unavailable, "By the test.") { IsInPlaceOfSession = true }
                    : ValueTask.CompletedTask;
            },
            CancellationToken.None).AsTask().InTime();

        Assert.Equal(Enumerable.Repeat(CircuitState.Closed, 6), states);
    }

    // However slow the machine is, each session is a short one here.
    private static EventBusClientOptions Options(ResiliencePipeline connecting) =>
        new() { ConnectPipeline = connecting, ShortSession = TimeSpan.FromHours(1) };

    private static ResiliencePipeline Retry(int times) => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<EventBusException>().Handle<RpcException>(),
            MaxRetryAttempts = times,
            Delay = TimeSpan.FromMilliseconds(1),
        })
        .Build();

    private static ChannelReader<EventBusConnectionChange> Watch(EventClient client)
    {
        var changes = Channel.CreateUnbounded<EventBusConnectionChange>();
        client.ConnectionChanged += (_, change) => changes.Writer.TryWrite(change);
        return changes.Reader;
    }
}
