using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>
/// The hub, seen from its own process: machines that live here take part without a connection. Get it from the server's
/// services.
/// </summary>
public sealed class EventHub
{
    private readonly HubCore _hub;

    internal EventHub(HubCore hub) => _hub = hub;

    /// <summary>Registers a machine of this process and subscribes to its inbox.</summary>
    /// <param name="machineId">The machine's id, unique on the hub.</param>
    /// <param name="handler">
    /// Handles the machine's events, one after the other, on the thread pool. It gives back what to acknowledge with
    /// (the new state, a reply), or <see langword="null"/> for "handled, nothing to say". An exception is logged, and is
    /// the answer to a sender that waits for the event to be processed.
    /// </param>
    /// <param name="mailbox">
    /// The bounds of the inbox, or <see langword="null"/> for the hub's default capacity and senders that wait for room.
    /// </param>
    /// <param name="groups">The groups that the machine is a member of, or <see langword="null"/> for none.</param>
    /// <returns>The machine; dispose of it to unregister it.</returns>
    /// <exception cref="Grpc.Core.RpcException">
    /// The id or a bound is not valid, or the machine belongs to another live process (<c>ALREADY_EXISTS</c>).
    /// </exception>
    public LocalMachine AddMachine(
        string machineId,
        Func<Event, CancellationToken, ValueTask<Acknowledgement?>> handler,
        MailboxSettings? mailbox = null,
        IReadOnlyCollection<string>? groups = null)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        var owner = new MachineOwner(PeerIdentity.Hub, new SessionBudget(_hub.Budget), "", "hub", isLease: false);
        var registration = new Registration { MachineId = machineId, Groups = { groups ?? [] } };
        var verdict = _hub.Limits.Check(registration);
        if (verdict.IsOk)
        {
            verdict = _hub.Machines.Register(owner, machineId, groups ?? [], out _);
        }

        LiveSubscription? subscription = null;
        var outbox = new Outbox(runWriterInline: false);
        if (verdict.IsOk)
        {
            var filter = new Subscription { Inbox = machineId, Mailbox = mailbox };
            verdict = _hub.Router.Subscribe(owner, filter, outbox, new RoutingContext(), out subscription);
        }

        if (!verdict.IsOk)
        {
            _hub.Machines.End(owner, MachineChangeKind.Unregistered, "The subscription to its inbox was refused.");
            throw verdict.ToException();
        }

        return new LocalMachine(_hub, owner, outbox, subscription!, handler);
    }
}
