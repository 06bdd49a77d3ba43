using System.Globalization;
using System.Text;
using Grpc.Core;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>Checks requests of clients against the hub's bounds.</summary>
internal sealed class EventLimits(EventBusOptions options)
{
    // A name may be longer than an id: for example a full type name.
    private const int NameFactor = 4;

    // It is handed on to other processes.
    private const int MaxLaneAddressLength = 1024;

    /// <summary>Checks an event, and stamps it if it is well.</summary>
    /// <param name="event">The event.</param>
    /// <param name="isPublished">Whether it is published. If not, it needs a target.</param>
    /// <param name="sender">The number that stands for its sender; zero: none.</param>
    public Verdict Check(RoutedEvent? @event, bool isPublished, ulong sender)
    {
        if (@event is null)
        {
            return Verdict.Invalid("The event is missing.");
        }

        if (isPublished && !@event.IsEmpty(EventPart.Target))
        {
            return Verdict.Invalid("The event has a target, but it is published. Send it, or leave the target empty.");
        }

        if (@event.HasMachineChange)
        {
            return Verdict.Invalid(
                "The event tells of a machine that has come or gone. Only the hub may send such an event.");
        }

        var verdict = isPublished ? Verdict.Ok
            : @event.IsEmpty(EventPart.Target) ? Verdict.Invalid("The target of the event is empty.")
            : CheckPart(@event, EventPart.Target, options.MaxIdLength, "target of the event");
        if (verdict.IsOk)
        {
            verdict = @event.IsEmpty(EventPart.Name)
                ? Verdict.Invalid("The name of the event is empty.")
                : CheckPart(@event, EventPart.Name, options.MaxIdLength * NameFactor, "name of the event");
        }

        if (verdict.IsOk)
        {
            verdict = CheckPart(@event, EventPart.Source, options.MaxIdLength, "source of the event");
        }

        if (verdict.IsOk)
        {
            verdict = CheckPart(@event, EventPart.Id, options.MaxIdLength, "id of the event");
        }

        if (!verdict.IsOk)
        {
            return verdict;
        }

        @event.Stamp(sender, @event.Timestamp == 0 ? (DateTime.UtcNow - DateTime.UnixEpoch).Ticks : 0);
        return @event.Size <= options.MaxEventSize
            ? Verdict.Ok
            : Verdict.Exhausted(
                $"The event has {@event.Size} bytes; the hub takes at most {options.MaxEventSize} (MaxEventSize).");
    }

    /// <summary>Checks an id that must not be empty.</summary>
    public Verdict CheckId(string id, string what) =>
        id.Length == 0 ? Verdict.Invalid($"The {what} is empty.") : CheckCharacters(id, options.MaxIdLength, what);

    /// <summary>
    /// Makes the id of an event for the answer to its sender; empty if the id is not valid, since it may be of any
    /// length then.
    /// </summary>
    public string Echo(RoutedEvent? @event) =>
        @event is not null && CheckPart(@event, EventPart.Id, options.MaxIdLength, "id of the event").IsOk
            ? @event.Id
            : "";

    /// <summary>Checks a text that may be empty.</summary>
    public Verdict CheckText(string text, string what) => CheckCharacters(text, options.MaxIdLength * NameFactor, what);

    /// <summary>Checks the address where a process listens for lanes, which may be empty.</summary>
    public static Verdict CheckLaneAddress(string address) =>
        CheckCharacters(address, MaxLaneAddressLength, "lane address");

    /// <summary>Checks the answer of a machine, and stamps its reply if both are well.</summary>
    /// <param name="acknowledgement">The answer.</param>
    /// <param name="reply">The reply, if there is one.</param>
    /// <param name="sender">The number that stands for the reply's sender; zero: none.</param>
    public Verdict Check(Acknowledgement acknowledgement, RoutedEvent? reply, ulong sender)
    {
        var verdict = CheckText(acknowledgement.NewState, "new state");
        if (reply is null || !verdict.IsOk)
        {
            return verdict;
        }

        var most = options.MaxIdLength;
        verdict = CheckPart(reply, EventPart.Name, most * NameFactor, "name of the reply");
        verdict = verdict.IsOk ? CheckPart(reply, EventPart.Id, most, "id of the reply") : verdict;
        verdict = verdict.IsOk ? CheckPart(reply, EventPart.Source, most, "source of the reply") : verdict;
        verdict = verdict.IsOk ? CheckPart(reply, EventPart.Target, most, "target of the reply") : verdict;
        if (!verdict.IsOk)
        {
            return verdict;
        }

        reply.Stamp(sender, 0);
        return reply.Size <= options.MaxEventSize
            ? Verdict.Ok
            : new Verdict(
                StatusCode.Internal,
                $"The reply has {reply.Size} bytes; the hub takes at most {options.MaxEventSize} (MaxEventSize).",
                "");
    }

    public Verdict Check(Registration? registration)
    {
        if (registration is null)
        {
            return Verdict.Invalid("The registration is missing.");
        }

        // The groups are counted before any of them is checked.
        if (registration.Groups.Count > options.MaxGroupsPerMachine)
        {
            return Verdict.Exhausted(
                $"The machine is in {registration.Groups.Count} groups; "
                + $"the hub takes at most {options.MaxGroupsPerMachine} (MaxGroupsPerMachine).");
        }

        var verdict = CheckId(registration.MachineId, "id of the machine");
        foreach (var group in registration.Groups)
        {
            verdict = verdict.IsOk ? CheckId(group, "name of the group") : verdict;
        }

        return verdict;
    }

    public Verdict Check(Subscription? subscription)
    {
        switch (subscription?.FilterCase)
        {
            case Subscription.FilterOneofCase.Inbox:
                return CheckId(subscription.Inbox, "id of the machine");
            case Subscription.FilterOneofCase.Machine:
                return CheckId(subscription.Machine, "id of the machine");
            case Subscription.FilterOneofCase.Group:
                return CheckId(subscription.Group, "name of the group");
            case Subscription.FilterOneofCase.StateChanges:
                return CheckId(subscription.StateChanges, "pattern of state changes");
            case Subscription.FilterOneofCase.MachineChanges:
                return CheckId(subscription.MachineChanges, "pattern of machines");
            case Subscription.FilterOneofCase.Pattern:
                var verdict = CheckText(subscription.Pattern.Name, "pattern of names");
                verdict = verdict.IsOk ? CheckText(subscription.Pattern.Source, "pattern of sources") : verdict;
                verdict = verdict.IsOk ? CheckText(subscription.Pattern.Group, "pattern of groups") : verdict;
                return verdict.IsOk ? CheckText(subscription.Pattern.Target, "pattern of targets") : verdict;
            case Subscription.FilterOneofCase.All:
                return Verdict.Ok;
            default:
                return Verdict.Invalid("The subscription has no filter that this hub knows.");
        }
    }

    /// <summary>Checks a pattern that all machines are compared with once.</summary>
    public Verdict Check(NamePattern pattern) => pattern.Weight <= options.MaxPatternWeight
        ? Verdict.Ok
        : Verdict.Exhausted(string.Create(
            CultureInfo.InvariantCulture,
            $"The pattern of machines weighs {pattern.Weight}, since it has question marks after a star "
                + $"or a star within; the hub takes at most {options.MaxPatternWeight} (MaxPatternWeight)."));

    public static Verdict Check(AcknowledgementLevel level) =>
        level is >= AcknowledgementLevel.Unspecified and <= AcknowledgementLevel.Replied
            ? Verdict.Ok
            : Verdict.Invalid($"The acknowledgement level {(int)level} is not known.");

    private static Verdict CheckPart(RoutedEvent @event, EventPart part, int maxBytes, string what) =>
        @event.IsPlain(part, maxBytes) ? Verdict.Ok : CheckCharacters(@event.Text(part), maxBytes, what);

    private static Verdict CheckCharacters(string text, int maxBytes, string what)
    {
        // A UTF-16 code unit has at most three bytes in UTF-8: short texts need not be counted.
        if (text.Length * 3L > maxBytes && (text.Length > maxBytes || Encoding.UTF8.GetByteCount(text) > maxBytes))
        {
            return Verdict.Invalid($"The {what} is longer than {maxBytes} bytes.");
        }

        var position = text.AsSpan().IndexOfAny(PrintableText.Unprintable);
        return position < 0
            ? Verdict.Ok
            : Verdict.Invalid(string.Create(
                CultureInfo.InvariantCulture,
                $"The {what} has the control character U+{(int)text[position]:X4} at position {position}. "
                    + $"Leave it out."));
    }
}
