using System.Text;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Reads the requests of a session that have only commands that clients give often: sends, publications,
/// acknowledgements and grants. No message is made of the events in them.
/// </summary>
/// <remarks>
/// As the <see cref="EventWalker"/> it leaves all other requests to the generated parser: those with other commands or
/// parts, malformed ones, and those in which a message comes twice that may come once.
/// </remarks>
internal static class CommandReader
{
    private const uint Command = (SessionRequest.CommandsFieldNumber << 3) | 2;
    private const uint Part = (SessionRequest.PartFieldNumber << 3) | 2;
    private const uint PartFollows = SessionRequest.PartFollowsFieldNumber << 3;

    private const int MostExpected = 1024;

    private const uint Number = SessionCommand.NumberFieldNumber << 3;
    private const uint Level = SessionCommand.AcknowledgementFieldNumber << 3;
    private const uint Timeout = SessionCommand.TimeoutMillisecondsFieldNumber << 3;
    private const uint Send = (SessionCommand.SendFieldNumber << 3) | 2;
    private const uint Publish = (SessionCommand.PublishFieldNumber << 3) | 2;
    private const uint Acknowledge = (SessionCommand.AcknowledgeFieldNumber << 3) | 2;
    private const uint Grant = (SessionCommand.GrantFieldNumber << 3) | 2;
    private const uint Waiting = (SessionCommand.WaitingFieldNumber << 3) | 2;

    // Commands of other kinds, by their numbers: all from the first kind to the last one. A wait is among them.
    private const uint FirstKind = SessionCommand.SendFieldNumber;
    private const uint LastKind = SessionCommand.LaneFailedFieldNumber;

    /// <summary>Reads a request.</summary>
    /// <param name="request">The encoded request.</param>
    /// <param name="commands">Takes its commands, in order. It is empty.</param>
    /// <returns><see langword="false"/> if the generated parser has to decide.</returns>
    public static bool TryRead(ReadOnlySpan<byte> request, List<HubCommand> commands)
    {
        if (TryReadAll(request, commands))
        {
            return true;
        }

        // The generated parser makes all of them anew, so these must not be kept meanwhile.
        commands.Clear();
        return false;
    }

    private static bool TryReadAll(ReadOnlySpan<byte> request, List<HubCommand> commands)
    {
        var reader = new FieldReader(request);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag) || tag is Part or PartFollows)
            {
                return false;
            }

            if (tag != Command)
            {
                if (!reader.TrySkip(tag))
                {
                    return false;
                }
            }
            else if (reader.TryReadBytes(out var bytes) && TryReadCommand(bytes, out var command))
            {
                if (commands.Count == 0)
                {
                    // Most commands of a request are about as long as its first one.
                    commands.EnsureCapacity(Math.Min(1 + (request.Length / reader.Position), MostExpected));
                }

                commands.Add(command);
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadCommand(ReadOnlySpan<byte> bytes, out HubCommand command)
    {
        command = default;
        var (number, level, timeout) = (0ul, 0ul, 0ul);
        var kind = 0u;
        ReadOnlySpan<byte> content = [];
        HandlerWait? wait = null;
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            var isTaken = tag switch
            {
                Number => reader.TryReadVarint(out number),
                Level => reader.TryReadVarint(out level),
                Timeout => reader.TryReadVarint(out timeout),
                Send or Publish or Acknowledge or Grant => kind == 0 && reader.TryReadBytes(out content),
                Waiting => wait is null && reader.TryReadBytes(out var waiting) && TryReadWait(waiting, out wait),
                _ => tag >> 3 is not (>= FirstKind and <= LastKind) && reader.TrySkip(tag),
            };
            if (!isTaken)
            {
                return false;
            }

            kind = tag is Send or Publish or Acknowledge or Grant ? tag : kind;
        }

        switch (kind)
        {
            case Send when ReceivedEvent.TryCreate(content, "", out var @event):
                // An enumeration and a number of 32 bits take the lowest bits of what comes.
                command = HubCommand.OfSend(number, (AcknowledgementLevel)level, (uint)timeout, @event!, wait);
                return true;
            case Publish when TryReadPublication(content, out var publication, out var published):
                command = HubCommand.OfPublication(number, publication, published);
                return true;
            case Acknowledge when TryReadAcknowledgement(content, out var acknowledgement, out var reply):
                command = HubCommand.OfAcknowledgement(number, acknowledgement, reply);
                return true;
            case Grant when TryReadCredit(content, out var credit):
                command = HubCommand.OfGrant(number, credit);
                return true;
            default:
                return false;
        }
    }

    private static bool TryReadWait(ReadOnlySpan<byte> bytes, out HandlerWait wait)
    {
        wait = new HandlerWait();
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            switch (tag)
            {
                case HandlerWait.NumberFieldNumber << 3 when reader.TryReadVarint(out var number):
                    wait.Number = number;
                    break;
                case (HandlerWait.MachineIdFieldNumber << 3) | 2 when reader.TryReadText(out var machine):
                    wait.MachineId = Encoding.UTF8.GetString(machine);
                    break;
                case (HandlerWait.AwaitedMachineIdFieldNumber << 3) | 2 when reader.TryReadText(out var awaited):
                    wait.AwaitedMachineId = Encoding.UTF8.GetString(awaited);
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryReadCredit(ReadOnlySpan<byte> bytes, out Credit credit)
    {
        credit = new Credit();
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag) || !reader.TryReadVarint(out var value))
            {
                return false;
            }

            switch (tag)
            {
                case Credit.SubscriptionFieldNumber << 3:
                    credit.Subscription = (uint)value;
                    break;
                case Credit.DeliveriesFieldNumber << 3:
                    credit.Deliveries = (uint)value;
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryReadAcknowledgement(
        ReadOnlySpan<byte> bytes, out Acknowledgement acknowledgement, out ReceivedEvent? reply)
    {
        acknowledgement = new Acknowledgement();
        reply = null;
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            switch (tag)
            {
                case Acknowledgement.SubscriptionFieldNumber << 3 when reader.TryReadVarint(out var subscription):
                    acknowledgement.Subscription = (uint)subscription;
                    break;
                case Acknowledgement.NumberFieldNumber << 3 when reader.TryReadVarint(out var number):
                    acknowledgement.Number = number;
                    break;
                case Acknowledgement.StatusCodeFieldNumber << 3 when reader.TryReadVarint(out var code):
                    acknowledgement.StatusCode = (int)code;
                    break;
                case (Acknowledgement.MessageFieldNumber << 3) | 2 when reader.TryReadText(out var message):
                    acknowledgement.Message = Encoding.UTF8.GetString(message);
                    break;
                case (Acknowledgement.NewStateFieldNumber << 3) | 2 when reader.TryReadText(out var state):
                    acknowledgement.NewState = Encoding.UTF8.GetString(state);
                    break;
                case (Acknowledgement.ReplyFieldNumber << 3) | 2 when reply is null
                    && reader.TryReadBytes(out var @event) && ReceivedEvent.TryCreate(@event, "", out reply):
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static bool TryReadPublication(
        ReadOnlySpan<byte> bytes, out Publication publication, out ReceivedEvent? @event)
    {
        publication = new Publication();
        @event = null;
        var hasEvent = false;
        ReadOnlySpan<byte> content = [];
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            switch (tag)
            {
                case (Publication.EventFieldNumber << 3) | 2 when !hasEvent && reader.TryReadBytes(out content):
                    hasEvent = true;
                    break;
                case Publication.ExcludeSourceFieldNumber << 3 when reader.TryReadVarint(out var excludes):
                    publication.ExcludeSource = excludes != 0;
                    break;
                default:
                    if (publication.AudienceCase != Publication.AudienceOneofCase.None
                        || !TryReadAudience(ref reader, tag, publication))
                    {
                        return false;
                    }

                    break;
            }
        }

        return !hasEvent || ReceivedEvent.TryCreate(content, publication.Group, out @event);
    }

    private static bool TryReadAudience(ref FieldReader reader, uint tag, Publication publication)
    {
        switch (tag)
        {
            case (Publication.AllFieldNumber << 3) | 2 when reader.TryReadBytes(out var all) && all.IsEmpty:
                publication.All = new AllMachines();
                return true;
            case (Publication.GroupFieldNumber << 3) | 2 when reader.TryReadText(out var group):
                publication.Group = Encoding.UTF8.GetString(group);
                return true;
            case (Publication.MachinePatternFieldNumber << 3) | 2 when reader.TryReadText(out var pattern):
                publication.MachinePattern = Encoding.UTF8.GetString(pattern);
                return true;
            case (Publication.ObserversFieldNumber << 3) | 2 when reader.TryReadBytes(out var none) && none.IsEmpty:
                publication.Observers = new Observers();
                return true;
            default:
                return false;
        }
    }
}
