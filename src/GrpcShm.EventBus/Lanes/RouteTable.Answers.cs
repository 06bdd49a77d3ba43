using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// The answers of the other side, as the hub would give them.
internal sealed partial class RouteTable
{
    private void Answer(PendingEvent @event, Outcome? outcome)
    {
        @event.Lane = null;
        @event.IsOver = true;
        Effects.Answered.Add((@event, outcome));
    }

    private void NoteCarried(SourceRoute route)
    {
        Effects.Carried++;
        if (++route.Unreported >= EventsPerReport)
        {
            Effects.Notes.Add(new SessionCommand
            {
                ReportRoute = new RouteReport { Route = route.Number, Events = route.Unreported },
            });
            route.Unreported = 0;
        }
    }

    private bool IsAllowed(LaneOutcome outcome) => IsAllowedText(outcome.NewState)
        && (outcome.Reply is not { } reply
            || (IsAllowedText(reply.Name) && IsAllowedId(reply.Id)
                && IsAllowedId(reply.Source) && IsAllowedId(reply.Target)));

    private bool IsAllowedText(string text) => PrintableText.IsPrintable(text) && _limits.AllowsText(text);

    private bool IsAllowedId(string id) => PrintableText.IsPrintable(id) && _limits.AllowsId(id);

    // As the hub would tell the sender.
    private Outcome ToOutcome(PendingEvent @event, SourceRoute route, LaneOutcome outcome)
    {
        var target = @event.Names.Target;
        if (outcome.StatusCode == 0 && @event.Level == AcknowledgementLevel.Replied && outcome.Reply is null)
        {
            return MakeFailure(Verdict.WithoutReply(target), target);
        }

        if (outcome.StatusCode == 0 && !IsAllowed(outcome))
        {
            return new Outcome
            {
                StatusCode = (int)StatusCode.InvalidArgument,
                Message = $"The answer of the machine '{target}' has a text that is too long, or characters that no id "
                    + "and no name has.",
                MachineId = target,
            };
        }

        if (outcome is { StatusCode: 0, Reply: { } given } && CheckReply(given, target, route) is { IsOk: false } wrong)
        {
            return MakeFailure(wrong, target);
        }

        var code = Enum.IsDefined((StatusCode)outcome.StatusCode) ? outcome.StatusCode : (int)StatusCode.Unknown;
        return code == 0
            ? new Outcome { NewState = outcome.NewState, Reply = outcome.Reply }
            : new Outcome { StatusCode = code, Message = outcome.Message, MachineId = target };
    }

    private static Verdict CheckReply(Event reply, string target, SourceRoute route)
    {
        if (reply.Source.Length > 0 && reply.Source != target)
        {
            return Verdict.NotTheirs(reply.Source);
        }

        // Only the hub says these of an event.
        (reply.MachineChange, reply.Group, reply.Sender) = (null, "", 0);
        var size = reply.CalculateSize();
        return size <= route.MaxEventSize
            ? Verdict.Ok
            : new Verdict(
                StatusCode.Internal,
                $"The reply has {size} bytes; the hub takes at most {route.MaxEventSize} (MaxEventSize).",
                target);
    }

    private static Outcome MakeFailure(in Verdict verdict, string target) =>
        new() { StatusCode = (int)verdict.Code, Message = verdict.Message, MachineId = target };
}
