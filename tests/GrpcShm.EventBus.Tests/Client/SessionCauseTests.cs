using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Polly;
using Polly.Retry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Which command a client takes for the cause of a session's end, and the words by which it fails.</summary>
public sealed class SessionCauseTests : IDisposable
{
    private const int Mebibyte = 1024 * 1024;

    // Sets the color of a terminal.
    private const string Escape = "\u001b[31m";

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ManyEventsThatAreTooLarge_CountNeitherAgainstOthersNorAgainstTheConnection(bool isUsualPipeline)
    {
        const int count = 12;
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (_, request) =>
            request.Commands.All(command => command.Send?.Payload.Length is null or < 100_000)
                ? FakeHub.CarryOut(request)
                : new SessionResponse
                {
                    Closing = new SessionClosing
                    {
                        StatusCode = (int)StatusCode.ResourceExhausted, Message = "Less.", MessageTooLarge = true,
                    },
                });
        using var channel = HubChannel.To(_directory.Socket);

        // Without a pipeline, one failed attempt to connect ends the client.
        await using var clientEnd = new EventClient(channel, new EventBusClientOptions
        {
            ConnectPipeline = isUsualPipeline ? null : ResiliencePipeline.Empty,
            ShortSession = TimeSpan.FromHours(1),
        }).InTime(out var client);
        await client.ConnectAsync().InTime();

        Task[] large =
        [
            .. Enumerable.Range(0, count).Select(i => client.SendEventAsync("s", "m", $"{i}", new byte[100_000])),
        ];
        var small = client.SendEventAsync("s", "m", "SMALL");

        foreach (var sending in large)
        {
            await ClientTest.FailsAsync(sending, StatusCode.ResourceExhausted);
        }

        await small.InTime();
        Assert.Equal(count + 1, hub.Sessions);
    }

    [Fact]
    public async Task LargeEvent_WhoseSessionAnOlderHubEndsForAnotherReason_IsSentAgain()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (session, request) =>
                session == 1 && request.Commands.Any(command => command.Send is not null)
                    ? null
                    : FakeHub.CarryOut(request),
            16 * Mebibyte);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options()).InTime(out var client);
        await client.ConnectAsync().InTime();

        await client.SendEventAsync("s", "m", "LARGE", new byte[5 * Mebibyte]).InTime();

        Assert.Equal(2, hub.Sessions);
    }

    [Fact]
    public async Task EventThatIsTooLarge_FailsWithoutTheControlCharactersOfTheHub()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (_, request) => request.Commands.Any(command => command.Send is not null)
                ? throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{Escape}message size"))
                : FakeHub.CarryOut(request),
            16 * Mebibyte);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options()).InTime(out var client);
        await client.ConnectAsync().InTime();

        var sending = client.SendEventAsync("s", "m", "LARGE", new byte[5 * Mebibyte]);

        AssertIsClean(await ClientTest.FailsAsync(sending, StatusCode.ResourceExhausted), "message size");
    }

    [Fact]
    public async Task EventThatEndsEachSession_FailsWithoutTheControlCharactersOfTheHub()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, EndByRawText);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options()).InTime(out var client);
        await client.ConnectAsync().InTime();

        var failure = await ClientTest.FailsAsync(client.SendEventAsync("s", "m", "E"), StatusCode.Unavailable);

        AssertIsClean(failure, "Unavailable: ");
        Assert.Contains("before the event was answered", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SessionsThatEndTheClient_AreToldWithoutTheControlCharactersOfTheHub()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, EndByRawText);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel,
            new EventBusClientOptions
            {
                ConnectPipeline = ResiliencePipeline.Empty, ShortSession = TimeSpan.FromHours(1),
            }).InTime(out var client);
        var requests = Channel.CreateUnbounded<Task>();
        var ended = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionChanged += (_, change) =>
        {
            if (change.State == EventBusConnectionState.Connected)
            {
                // Unlike other sends, a request is not sent again: so the next session is restored before it ends.
                requests.Writer.TryWrite(client.RequestAsync("s", "m", "E"));
            }
            else if (change is { State: EventBusConnectionState.Disconnected, Reason: { } reason })
            {
                ended.TrySetResult(reason);
            }
        };
        await client.ConnectAsync().InTime();

        var failure = await ended.Task.InTime();
        Assert.StartsWith("2 sessions ended as soon as they were opened", failure.Message, StringComparison.Ordinal);
        AssertIsClean(failure, "Unavailable: ");
        for (var i = 0; i < 2; i++)
        {
            await ClientTest.FailsAsync(await requests.Reader.ReadAsync().InTime(), StatusCode.Unavailable);
        }
    }

    [Fact]
    public async Task RegistrationThatEndsEachSession_FailsByWordsAboutACommand()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (_, request) =>
            request.Commands.All(command => command.Open is not null) ? FakeHub.CarryOut(request) : null);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel, Options()).InTime(out var client);
        await client.ConnectAsync().InTime();

        var failure = await ClientTest.FailsAsync(
            client.RegisterMachineAsync("m", static _ => Task.CompletedTask), StatusCode.Unavailable);

        Assert.Contains("before the command to the hub was answered", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("the event", failure.Message, StringComparison.Ordinal);
    }

    private static SessionResponse EndByRawText(int session, SessionRequest request) =>
        request.Commands.Any(command => command.Send is not null)
            ? throw new RpcException(new Status(StatusCode.Unavailable, $"{Escape}By the test."))
            : FakeHub.CarryOut(request);

    private static void AssertIsClean(Exception failure, string words)
    {
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', failure.Message);
    }

    // However slow the machine is, each session is a short one here.
    private static EventBusClientOptions Options() => new()
    {
        ShortSession = TimeSpan.FromHours(1),
        ConnectPipeline = new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<EventBusException>().Handle<RpcException>(),
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(1),
            })
            .Build(),
    };
}
