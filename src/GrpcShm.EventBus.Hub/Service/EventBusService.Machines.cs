using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Flows;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

// The calls about machines and the hub itself.
internal sealed partial class EventBusService
{
    public override async Task<RegisterMachinesResponse> RegisterMachines(
        RegisterMachinesRequest request, ServerCallContext context)
    {
        ThrowUnlessOk(hub.Limits.CheckId(request.InstanceId, "instance id"));
        ThrowUnlessOk(hub.Limits.CheckText(request.Name, "name of the owner"));
        if (request.Registrations.Count > hub.Options.MaxMachinesPerSession)
        {
            throw Verdict.Exhausted(
                $"{request.Registrations.Count} machines are too many for one call; the limit is "
                + $"{hub.Options.MaxMachinesPerSession} (MaxMachinesPerSession).").ToException();
        }

        foreach (var registration in request.Registrations)
        {
            ThrowUnlessOk(hub.Limits.Check(registration));
        }

        var peer = PeerIdentity.Of(context);
        var lease = new MachineOwner(
            peer, new SessionBudget(hub.Budget), request.InstanceId, request.Name, isLease: true);
        if (hub.GateFor(context.GetHttpContext(), peer, lease) is { } gate)
        {
            foreach (var registration in request.Registrations)
            {
                ThrowUnlessOk(await gate.CheckRegisterAsync(registration).ConfigureAwait(false));
            }
        }

        if (request.Registrations.Count == 0)
        {
            return new RegisterMachinesResponse();
        }

        ThrowUnlessOk(hub.Budget.Leases.Take(peer.UserId));
        var verdict = hub.Machines.RegisterAll(lease, request.Registrations);
        if (!verdict.IsOk)
        {
            hub.Budget.Leases.Give(peer.UserId);
            throw verdict.ToException();
        }

        _ = LongLived.Start(() => ExpireAsync(lease));
        return new RegisterMachinesResponse
        {
            ExpiresAfterMilliseconds = (uint)hub.Options.UnclaimedTimeout.TotalMilliseconds,
        };
    }

    public override Task<UnregisterMachinesResponse> UnregisterMachines(
        UnregisterMachinesRequest request, ServerCallContext context)
    {
        var caller = new MachineOwner(
            PeerIdentity.Of(context), new SessionBudget(hub.Budget), request.InstanceId, "", isLease: false);
        var response = new UnregisterMachinesResponse();
        foreach (var machineId in request.MachineIds)
        {
            var verdict = hub.Machines.Unregister(caller, machineId, out var inbox);
            if (verdict.IsOk)
            {
                response.Unregistered++;
                inbox?.Outbox.Signal();
            }
            else if (verdict.Code != StatusCode.NotFound)
            {
                throw verdict.ToException();
            }
        }

        return Task.FromResult(response);
    }

    public override async Task<ListMachinesResponse> ListMachines(
        ListMachinesRequest request, ServerCallContext context)
    {
        ThrowUnlessOk(hub.Limits.CheckText(request.MachinePattern, "pattern of machines"));
        if (hub.Access is not null && hub.GateFor(context.GetHttpContext(), PeerIdentity.Of(context)) is { } gate)
        {
            ThrowUnlessOk(await gate.CheckListAsync(request).ConfigureAwait(false));
        }

        ThrowUnlessOk(MachineList.MakePage(hub, request, out var response));
        return response;
    }

    public override Task<GetHealthResponse> GetHealth(GetHealthRequest request, ServerCallContext context) =>
        Task.FromResult(hub.DescribeHealth());

    private async Task ExpireAsync(MachineOwner lease)
    {
        await Task.Delay(hub.Options.UnclaimedTimeout, hub.Stopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        hub.Budget.Leases.Give(lease.Peer.UserId);
        var expired = hub.Machines.End(lease, MachineChangeKind.Lost, "Nobody subscribed to its inbox in time.");
        if (expired > 0)
        {
            hub.Logger.RegistrationsExpired(lease.Name, lease.InstanceId, expired);
        }
    }
}
