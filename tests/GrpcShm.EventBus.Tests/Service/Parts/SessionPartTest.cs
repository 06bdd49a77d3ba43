using System.Diagnostics.Metrics;
using Google.Protobuf;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>A test of one part of a session, with a hub that no server serves.</summary>
public abstract class SessionPartTest : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    protected SessionPartTest()
    {
        Options = new EventBusOptions();
        Hub = new HubCore(
            Microsoft.Extensions.Options.Options.Create(Options),
            _services.GetRequiredService<IMeterFactory>(),
            new NoLifetime(),
            NullLoggerFactory.Instance);
        Owner = MakeOwner("instance");
    }

    protected EventBusOptions Options { get; }

    internal HubCore Hub { get; }

    /// <summary>The session's own owner of machines.</summary>
    internal MachineOwner Owner { get; }

    internal Outbox Outbox { get; } = new(runWriterInline: false);

    internal RoutingContext Context { get; } = new();

    public void Dispose()
    {
        _services.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes of a command what the hub makes of its bytes.</summary>
    internal static HubCommand Parsed(SessionCommand command) =>
        Assert.Single(HubSessionRequest.Parse(new SessionRequest { Commands = { command } }.ToByteArray()).Commands);

    internal MachineOwner MakeOwner(string instanceId) =>
        new(PeerIdentity.Hub, new SessionBudget(Hub.Budget), instanceId, "test", isLease: false);

    /// <summary>Subscribes to a machine's inbox, by whatever owner and outbox.</summary>
    internal LiveSubscription Subscribe(string machineId, MachineOwner owner, Outbox outbox)
    {
        var verdict = Hub.Router.Subscribe(
            owner, new Subscription { Number = 1, Inbox = machineId }, outbox, Context, out var live);
        Assert.True(verdict.IsOk, verdict.Message);
        return live!;
    }

    private sealed class NoLifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
