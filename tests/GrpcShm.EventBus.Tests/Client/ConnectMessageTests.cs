using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>The words by which a program learns that it has no connection to its hub.</summary>
public sealed class ConnectMessageTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("shm")]
    [InlineData("shm by grpc-dotnet")]
    [InlineData("uds")]
    public async Task Connect_ToAServerThatIsNoHub_SaysSo(string transport)
    {
        var address = transport == "uds" ? _directory.Socket : NewName();
        await using var server = await StartServerWithoutHubAsync(address);
        var channel = ChannelTo(address, transport);
        using var owned = (IDisposable)channel;
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeLimit.Value }).InTime(out var client);

        var failure = await ClientTest.FailsAsync(client.ConnectAsync(), StatusCode.Unavailable);

        Assert.StartsWith(
            $"The client could not be connected to its hub. The server at '{channel.Target}' answers, but it is no "
            + "hub. Does it call MapEventBus()? (Unimplemented: ",
            failure.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("disconnected", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Status(", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ToAServerThatIsNoHubByAClientOfServices_SaysSoWithoutAName()
    {
        await using var server = await StartServerWithoutHubAsync(_directory.Socket);
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            new Contract.EventBusClient(channel), new EventBusClientOptions { ConnectTimeout = TimeLimit.Value })
            .InTime(out var client);

        var failure = await ClientTest.FailsAsync(client.ConnectAsync(), StatusCode.Unavailable);

        Assert.Contains(
            "The server answers, but it is no hub. Does it call MapEventBus()?",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("shm by grpc-dotnet")]
    public async Task Connect_NoServer_SaysTheReasonOnceAndGivesNoAdviceToWait(string transport)
    {
        var address = NewName();
        var channel = ChannelTo(address, transport);
        using var owned = (IDisposable)channel;
        var logs = new RecordingLoggerProvider();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(logs));

        await using var clientEnd = new EventClient(
            channel,
            new EventBusClientOptions { ConnectTimeout = TimeSpan.FromSeconds(0.5), LoggerFactory = loggers })
            .InTime(out var client);

        // On a busy machine no attempt may have failed in that time.
        EventBusException failure = null!;
        await TimeLimit.UntilAsync(async () =>
        {
            failure = await ClientTest.FailsAsync(client.ConnectAsync(), StatusCode.Unavailable);
            return !failure.Message.Contains("no answer", StringComparison.Ordinal);
        });

        Assert.StartsWith(
            $"The hub could not be reached within 0.5 s: No server listens on '{address}': ",
            failure.Message,
            StringComparison.Ordinal);
        Assert.EndsWith(" Start the server.", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MapEventBus", failure.Message, StringComparison.Ordinal);
        var chain = new List<Exception>();
        for (Exception? next = failure.InnerException; next is not null; next = next.InnerException)
        {
            chain.Add(next);
        }

        Assert.Equal(["HttpRequestException", "NoServerException"], chain.Select(static next => next.GetType().Name));
        Assert.Contains(logs.Lines, line => line.StartsWith(
            $"Warning ConnectFailed: An attempt to connect to the hub failed: No server listens on '{address}'",
            StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, static line => line.Contains("WaitForServer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_RefusedByTheHub_SaysTheStatusAndTheReason()
    {
        using var channel = HubChannel.To(_directory.Socket);
        var sessions = new FailingSessions(static _ => new Status(StatusCode.PermissionDenied, "You may not."));
        await using var clientEnd = new EventClient(
            new Contract.EventBusClient(Grpc.Core.Interceptors.ChannelExtensions.Intercept(channel, sessions)),
            new EventBusClientOptions { ConnectTimeout = TimeLimit.Value }).InTime(out var client);
        var reason = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionChanged += (_, change) =>
        {
            if (change.State == EventBusConnectionState.Disconnected)
            {
                reason.TrySetResult(change.Reason);
            }
        };

        var failure = await ClientTest.FailsAsync(client.ConnectAsync(), StatusCode.Unavailable);
        var later = await ClientTest.FailsAsync(client.PublishAsync("E"), StatusCode.Unavailable);

        Assert.Equal(
            "The client could not be connected to its hub. PermissionDenied: You may not.", failure.Message);
        Assert.Equal(
            "The client is disconnected. Call ConnectAsync to connect it again. The reason was: PermissionDenied: You "
            + "may not.",
            later.Message);
        var told = Assert.IsType<EventBusException>(await reason.Task.InTime());
        Assert.Equal(StatusCode.PermissionDenied, told.StatusCode);
        Assert.Equal("PermissionDenied: You may not.", told.Message);
    }

    private static ChannelBase ChannelTo(string address, string transport)
    {
        var options = new SharedMemoryClientOptions { ConnectTimeout = HubChannel.ConnectTimeout };
        return transport switch
        {
            "shm" => SharedMemoryChannel.ForAddress(address, options),
            "shm by grpc-dotnet" => SharedMemoryChannel.CreateGrpcChannel(address, options),
            _ => HubChannel.To(address),
        };
    }

    private static string NewName() => $"shm:words-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40];

    private static async Task<WebApplication> StartServerWithoutHubAsync(string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (HubChannel.IsSharedMemory(address))
        {
            builder.WebHost.UseSharedMemory(options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(address["shm:".Length..]));
        }
        else
        {
            builder.WebHost.ConfigureKestrel(
                kestrel => kestrel.ListenUnixSocket(address, options => options.Protocols = HttpProtocols.Http2));
        }

        var app = builder.Build();
        await app.StartAsync().InTime();
        return app;
    }
}
