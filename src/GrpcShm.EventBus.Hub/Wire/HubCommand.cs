using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;
using Case = XStateNet.Events.V1.SessionCommand.CommandOneofCase;

namespace GrpcShm.EventBus.Wire;

/// <summary>A command of a session, with its event apart.</summary>
internal readonly struct HubCommand
{
    // The command's own message, but for the event in it.
    private IMessage? Message { get; init; }

    /// <summary>The command's number; zero: its client does not wait.</summary>
    public ulong Number { get; init; }

    /// <summary>How far an event must have come to be answered.</summary>
    public AcknowledgementLevel Level { get; init; }

    /// <summary>How long to wait for that, in milliseconds; zero: as long as the hub does by default.</summary>
    public uint TimeoutMilliseconds { get; init; }

    /// <summary>The kind of the command.</summary>
    public Case Case { get; private init; }

    /// <summary>
    /// The event of a send or a publication, or the reply of an acknowledgement; none if it is missing.
    /// </summary>
    public RoutedEvent? Event { get; private init; }

    /// <summary>For a send: the wait of a handler.</summary>
    public HandlerWait? Waiting => Case == Case.Send ? (HandlerWait?)Message : null;

    /// <summary>The publication, without its event.</summary>
    public Publication Publication => (Publication)Message!;

    /// <summary>The acknowledgement, without its reply.</summary>
    public Acknowledgement Acknowledgement => (Acknowledgement)Message!;

    public Credit Credit => (Credit)Message!;

    /// <summary>A command of a kind that has no event, and no property here.</summary>
    public SessionCommand Other => (SessionCommand)Message!;

    public static HubCommand OfSend(
        ulong number, AcknowledgementLevel level, uint timeout, RoutedEvent @event, HandlerWait? waiting) => new()
    {
        Number = number,
        Level = level,
        TimeoutMilliseconds = timeout,
        Case = Case.Send,
        Event = @event,
        Message = waiting,
    };

    public static HubCommand OfPublication(ulong number, Publication publication, RoutedEvent? @event) =>
        new() { Number = number, Case = Case.Publish, Event = @event, Message = publication };

    public static HubCommand OfAcknowledgement(ulong number, Acknowledgement acknowledgement, RoutedEvent? reply) =>
        new() { Number = number, Case = Case.Acknowledge, Event = reply, Message = acknowledgement };

    public static HubCommand OfGrant(ulong number, Credit credit) =>
        new() { Number = number, Case = Case.Grant, Message = credit };

    /// <summary>Makes a command of the contract's message.</summary>
    /// <param name="command">The message, which the hub may change from here on.</param>
    public static HubCommand Of(SessionCommand command)
    {
        var (number, level, timeout) = (command.Number, command.Acknowledgement, command.TimeoutMilliseconds);
        switch (command.CommandCase)
        {
            case Case.Send:
                return OfSend(number, level, timeout, RoutedEvent.Of(command.Send), command.Waiting);
            case Case.Publish:
                return OfPublication(number, command.Publish, RoutedEvent.Of(command.Publish.Event));
            case Case.Acknowledge:
                return OfAcknowledgement(number, command.Acknowledge, RoutedEvent.Of(command.Acknowledge.Reply));
            case Case.Grant:
                return OfGrant(number, command.Grant);
            default:
                return new HubCommand
                {
                    Number = number, TimeoutMilliseconds = timeout, Case = command.CommandCase, Message = command,
                };
        }
    }
}
