using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests;

/// <summary>
/// A test with a hub of its own in this process, over a Unix socket, unless a derived class has another one.
/// </summary>
public abstract class HubTest : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private readonly List<HubChannel> _channels = [];
    private HubServer? _server;

    internal HubServer Server => _server!;

    internal Contract.EventBusClient Client => new(Connect());

    /// <summary>Where the hub is.</summary>
    internal virtual string Address => Server.Socket;

    public async ValueTask InitializeAsync() => _server = await StartHubAsync(_directory.Socket);

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            channel.Dispose();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync().InTime();
        }

        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected virtual async Task<HubServer?> StartHubAsync(string socket) =>
        await HubServer.StartAsync(socket, Configure, Build);

    protected virtual void Configure(EventBusOptions options)
    {
    }

    protected virtual void Build(WebApplicationBuilder builder)
    {
    }

    internal static Event NewEvent(string target, string name = "E", uint version = 0) =>
        new() { Name = name, Source = "test", Target = target, Version = version };

    internal static SessionCommand Send(string target, string name = "E", uint version = 0) =>
        new() { Send = NewEvent(target, name, version) };

    internal HubChannel Connect()
    {
        var channel = HubChannel.To(Address);
        _channels.Add(channel);
        return channel;
    }

    internal SessionClient OpenSession() => new(Connect());

    /// <summary>A session of a user, by a server that has <see cref="UserHeader"/>.</summary>
    internal SessionClient OpenSessionOf(string user) => new(Connect(), UserHeader.For(user));

    /// <summary>Opens a session that is subscribed, by number 1, to a machine's inbox.</summary>
    internal async Task<SessionClient> OpenMachineAsync(string machineId, MailboxSettings? mailbox = null)
    {
        var session = OpenSession();
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = machineId, Mailbox = mailbox });
        return session;
    }

    internal static async Task SubscribeAsync(SessionClient session, Subscription subscription)
    {
        var outcome = await session.ExecuteAsync(new SessionCommand { Subscribe = subscription }).InTime();
        Assert.Equal((int)StatusCode.OK, outcome.StatusCode);
    }

    internal static async Task<RpcException> FailsAsync<T>(AsyncUnaryCall<T> call, StatusCode code)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());
        Assert.Equal(code, exception.StatusCode);
        return exception;
    }
}
