using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Carries out the commands of one session, for its one reader.</summary>
internal sealed class SessionCommands(
    HubCore hub,
    MachineOwner owner,
    SessionOrigin origin,
    SessionLife life,
    SessionSubscriptions subscriptions,
    LateSubscriptions late,
    SessionWaits waits,
    SessionSends sends,
    SessionLanes lanes)
{
    private bool _hasCommands;

    /// <summary>
    /// Asks the policy whether the client may give a command. It is not asked about commands that concern only the
    /// client's own machines and subscriptions.
    /// </summary>
    public ValueTask<Verdict> CheckAsync(AccessGate gate, in HubCommand command)
    {
        _hasCommands |= command.Case != SessionCommand.CommandOneofCase.Open;
        return command.Case switch
        {
            SessionCommand.CommandOneofCase.Send => gate.CheckSendAsync(command.Event, origin),
            SessionCommand.CommandOneofCase.Publish => 
                gate.CheckPublishAsync(command.Publication, command.Event, origin),
            SessionCommand.CommandOneofCase.Register => gate.CheckRegisterAsync(command.Other.Register),
            SessionCommand.CommandOneofCase.Subscribe => gate.CheckSubscribeAsync(command.Other.Subscribe),
            SessionCommand.CommandOneofCase.RequestRoute when hub.OffersLanes =>
                gate.CheckRouteAsync(command.Other.RequestRoute),
            _ => ValueTask.FromResult(Verdict.Ok),
        };
    }

    /// <summary>
    /// Carries a command out. The mailboxes that it must wait for are left in the context.
    /// </summary>
    /// <param name="command">The command.</param>
    /// <param name="context">The writers to wake and the mailboxes to wait for.</param>
    /// <param name="outcome">
    /// The answer if the command succeeds; none if success needs no answer of its own, or is answered later.
    /// </param>
    public Verdict Execute(in HubCommand command, RoutingContext context, out Outcome? outcome)
    {
        outcome = null;
        var isFirst = !_hasCommands;
        _hasCommands = true;
        switch (command.Case)
        {
            case SessionCommand.CommandOneofCase.Send:
                return sends.Send(command, context);
            case SessionCommand.CommandOneofCase.Acknowledge:
                subscriptions.Acknowledge(command.Acknowledgement, command.Event);
                return Verdict.Ok;
            case SessionCommand.CommandOneofCase.Grant:
                subscriptions.Grant(command.Credit, context);
                return Verdict.Ok;
            case SessionCommand.CommandOneofCase.Publish:
                var verdict = hub.Router.Publish(
                    command.Publication, command.Event, origin, context, out var recipients);
                outcome = new Outcome { Recipients = (uint)recipients };
                return verdict;
            case SessionCommand.CommandOneofCase.Subscribe:
                return Subscribe(command.Number, command.Other.Subscribe, context, out outcome);
            case SessionCommand.CommandOneofCase.Fence:
                return lanes.Fence(command, context);
            case SessionCommand.CommandOneofCase.ReportRoute:
                return lanes.Report(command.Other.ReportRoute);
            default:
                outcome = new Outcome();
                return ExecuteRare(command.Case, command.Other, context, isFirst, outcome);
        }
    }

    // Commands that each client gives a few times.
    private Verdict ExecuteRare(
        SessionCommand.CommandOneofCase kind,
        SessionCommand command,
        RoutingContext context,
        bool isFirst,
        Outcome outcome)
    {
        switch (kind)
        {
            case SessionCommand.CommandOneofCase.Open:
                return isFirst
                    ? Open(command.Open)
                    : Verdict.Invalid("A session can only be opened by its first command.");
            case SessionCommand.CommandOneofCase.Register:
                return Register(command.Register);
            case SessionCommand.CommandOneofCase.Unregister:
                return subscriptions.Unregister(command.Unregister);
            case SessionCommand.CommandOneofCase.Unsubscribe:
                return subscriptions.Unsubscribe(command.Unsubscribe);
            case SessionCommand.CommandOneofCase.BeginWait:
                return waits.Begin(command.BeginWait, command.BeginWait.AwaitedMachineId, null);
            case SessionCommand.CommandOneofCase.EndWait:
                waits.End(command.EndWait);
                return Verdict.Ok;
            case SessionCommand.CommandOneofCase.RequestRoute:
                return lanes.Request(command.RequestRoute, context, outcome);
            case SessionCommand.CommandOneofCase.CloseRoute:
                return lanes.Close(command.CloseRoute, context);
            case SessionCommand.CommandOneofCase.LaneFailed:
                lanes.Fail(command.LaneFailed, context);
                return Verdict.Ok;
            default:
                return new Verdict(
                    StatusCode.Unimplemented, "The command is missing, or this hub does not know it.", "");
        }
    }

    private Verdict Open(OpenSession open)
    {
        var verdict = EventLimits.CheckLaneAddress(open.LaneAddress);
        verdict = verdict.IsOk ? life.Open(open) : verdict;
        if (verdict.IsOk)
        {
            lanes.Open(open);
        }

        return verdict;
    }

    private Verdict Subscribe(
        ulong number, Subscription subscription, RoutingContext context, out Outcome? outcome)
    {
        var verdict = subscriptions.Subscribe(subscription, context, out var live);
        outcome = new Outcome();
        if (verdict.IsOk && live!.Silence is { } silence)
        {
            outcome = null;

            // The time of those who have to confirm begins now. The rest of the message may take long.
            context.SignalAll();
            late.Answer(number, silence);
        }

        return verdict;
    }

    private Verdict Register(Registration registration)
    {
        var verdict = hub.Limits.Check(registration);
        return verdict.IsOk
            ? hub.Machines.Register(owner, registration.MachineId, registration.Groups, out _)
            : verdict;
    }
}
