using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// The answers of the other side, as the hub would give them.
internal sealed partial class RouteTable
{
    /// <summary>Notes that all events up to a number were accepted, or answered before.</summary>
    /// <returns>False if the other side breaks the rules.</returns>
    public bool TryAccept(LaneOutbox lane, ulong through, long now)
    {
        if (through > lane.Taken)
        {
            return false;
        }

        // The sends of a lane in use are answered: no send looks at the clock.
        lane.LastUse = now;
        while (lane.First <= through)
        {
            var (@event, route, isAnswered) = lane.Accept();
            if (isAnswered)
            {
                continue;
            }

            if (!@event.IsOver && @event.Level <= AcknowledgementLevel.Delivered)
            {
                Answer(@event, null);
            }

            NoteCarried(route);
            Shorten(route, lane.First - 1, now);
        }

        return true;
    }

    /// <summary>Takes the answer to one event.</summary>
    /// <returns>False if the other side breaks the rules.</returns>
    public bool TryAnswer(LaneOutbox lane, LaneOutcome outcome, long now)
    {
        if (outcome.Number > lane.Taken)
        {
            return false;
        }

        if (outcome.Number < lane.First)
        {
            // A sender that gave up is not there any more.
            if (lane.TakeWaiting(outcome.Number) is { Event: { } waiting } entry)
            {
                Answer(waiting, ToOutcome(waiting, entry.Route, outcome));
            }

            return !outcome.Rerouted;
        }

        var (@event, route, isAnswered) = lane.Answer(outcome.Number);
        if (isAnswered)
        {
            return false;
        }

        if (outcome.Rerouted)
        {
            if (!@event.IsOver)
            {
                route.Returned.Add(@event);
            }

            if (route.State == RouteState.Open)
            {
                // Whoever sends again what the target does not take would open and close routes in a circle.
                PutOff(route.Pair, now);
                BeginDraining(route, now);
            }
        }
        else
        {
            NoteCarried(route);
            if (!@event.IsOver)
            {
                Answer(@event, ToOutcome(@event, route, outcome));
            }
        }

        Shorten(route, outcome.Number, now);
        return true;
    }

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
