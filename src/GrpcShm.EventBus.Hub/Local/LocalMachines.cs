using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>Registers the machines of the hub's own process.</summary>
internal sealed class LocalMachines(HubCore hub, PayloadCodecs codecs)
{
    // There is nothing to wait for. What is wrong comes by the task all the same, as with a client.
    public Task<LocalMachine> RegisterAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions options, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<LocalMachine>(cancellationToken);
        }

        try
        {
            return Task.FromResult(Register(machineId, handler, options));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Task.FromException<LocalMachine>(exception);
        }
    }

    private LocalMachine Register(string machineId, Func<BusEvent, Task> handler, MachineOptions options)
    {
        var owner = new MachineOwner(PeerIdentity.Hub, new SessionBudget(hub.Budget), "", "hub", isLease: false);
        var registration = new Registration { MachineId = machineId, Groups = { options.Groups } };
        var verdict = hub.Limits.Check(registration);
        if (verdict.IsOk)
        {
            verdict = hub.Machines.Register(owner, machineId, registration.Groups, out _);
        }

        LiveSubscription? subscription = null;
        var outbox = new Outbox(runWriterInline: false);
        var context = new RoutingContext();
        if (verdict.IsOk)
        {
            var filter = new Subscription { Inbox = machineId, Mailbox = options.ToMailbox() };
            verdict = hub.Router.Subscribe(owner, filter, outbox, context, out subscription);
        }

        // Those who watch machines, and what has waited for the inbox.
        context.SignalAll();
        if (!verdict.IsOk)
        {
            hub.Machines.End(owner, MachineChangeKind.Unregistered, "The subscription to its inbox was refused.");
            throw LocalSender.ToException(verdict);
        }

        return new LocalMachine(hub, owner, outbox, subscription!, codecs, handler);
    }
}
