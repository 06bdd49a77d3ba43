using System.Buffers;
using Google.Protobuf;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// A request of a session. The hub refuses what the generated parser refuses, with the same words, and makes the same
/// commands of all others.
/// </summary>
internal sealed class SessionRequestTarget : IFuzzTarget
{
    public string Name => "session-request";

    public int Weight => 30;

    public int MaxLength => 600;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            yield return Encode(
                new SessionCommand { Number = 7, Send = EventSeeds.Full },
                new SessionCommand { Send = EventSeeds.Small });
            yield return Encode(new SessionCommand
            {
                Number = 300,
                Acknowledgement = AcknowledgementLevel.Replied,
                TimeoutMilliseconds = 5000,
                Send = EventSeeds.Small,
                Waiting = new HandlerWait { Number = 1, MachineId = "m", AwaitedMachineId = "n" },
            });
            yield return Encode(
                new SessionCommand { Number = 1, Publish = new Publication { Event = EventSeeds.Change, All = new() } },
                new SessionCommand { Publish = new Publication { Event = EventSeeds.Small, Group = "line" } },
                new SessionCommand { Publish = new Publication { MachinePattern = "m*", ExcludeSource = true } },
                new SessionCommand { Publish = new Publication { Event = EventSeeds.Forged, Observers = new() } });
            yield return Encode(
                new SessionCommand
                {
                    Acknowledge = new Acknowledgement
                    {
                        Subscription = 1, Number = 2, NewState = "idle", Reply = EventSeeds.Full,
                    },
                },
                new SessionCommand { Acknowledge = new Acknowledgement { StatusCode = -2, Message = "it failed" } },
                new SessionCommand { Grant = new Credit { Subscription = 1, Deliveries = 100 } });
            yield return Encode(
                new SessionCommand { Number = 1, Open = new OpenSession { InstanceId = "i", TakesParts = true } },
                new SessionCommand { Number = 2, Register = new Registration { MachineId = "m", Groups = { "g" } } },
                new SessionCommand { Number = 3, EndWait = 4 });
            yield return new SessionRequest { Part = ByteString.CopyFrom(1, 2, 3), PartFollows = true }.ToByteArray();
            foreach (var @event in EventSeeds.Unusual)
            {
                yield return [0x0A, (byte)(@event.Length + 2), 0x22, (byte)@event.Length, .. @event];
            }
        }
    }

    public string Run(ReadOnlySpan<byte> input)
    {
        SessionRequest? expected = null;
        var refusal = "";
        try
        {
            expected = SessionRequest.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException exception)
        {
            refusal = exception.Message;
        }

        HubSessionRequest request;
        try
        {
            request = HubSessionRequest.Parse(InTwoPieces(input));
        }
        catch (InvalidProtocolBufferException exception) when (expected is null)
        {
            FuzzFailureException.ThrowIf(
                exception.Message != refusal, $"The hub says '{exception.Message}', the parser '{refusal}'.");
            return $"refused: {refusal}";
        }

        FuzzFailureException.ThrowIf(expected is null, $"The hub takes what the parser refuses: {refusal}");
        Compare(request, expected!);
        var way = CommandReader.TryRead(input, []) ? "read" : "left to the parser";
        return $"{way} {string.Join(' ', expected!.Commands.Take(3).Select(Describe))}";
    }

    private static void Compare(HubSessionRequest request, SessionRequest expected)
    {
        Require(request.Part.Equals(expected.Part) && request.PartFollows == expected.PartFollows, "part");
        Require(request.Commands.Count == expected.Commands.Count, "number of commands");
        for (var i = 0; i < request.Commands.Count; i++)
        {
            Compare(request.Commands[i], expected.Commands[i]);
        }
    }

    private static void Compare(HubCommand command, SessionCommand expected)
    {
        Require(command.Number == expected.Number, "number");
        Require(command.Case == expected.CommandCase, "kind");
        switch (expected.CommandCase)
        {
            case SessionCommand.CommandOneofCase.Send:
                Require(command.Level == expected.Acknowledgement, "level");
                Require(command.TimeoutMilliseconds == expected.TimeoutMilliseconds, "time-out");
                Require(Equals(command.Waiting, expected.Waiting), "wait");
                CompareEvent(command, expected.Send);
                break;
            case SessionCommand.CommandOneofCase.Publish:
                Require(command.Publication.AudienceCase == expected.Publish.AudienceCase, "kind of the audience");
                Require(command.Publication.Group == expected.Publish.Group, "group");
                Require(command.Publication.MachinePattern == expected.Publish.MachinePattern, "pattern");
                Require(command.Publication.ExcludeSource == expected.Publish.ExcludeSource, "exclusion");
                CompareEvent(command, expected.Publish.Event);
                break;
            case SessionCommand.CommandOneofCase.Acknowledge:
                var (answer, expectedAnswer) = (command.Acknowledgement.Clone(), expected.Acknowledge.Clone());
                (answer.Reply, expectedAnswer.Reply) = (null, null);
                Require(Equals(answer, expectedAnswer), "acknowledgement");
                CompareEvent(command, expected.Acknowledge.Reply);
                break;
            case SessionCommand.CommandOneofCase.Grant:
                Require(Equals(command.Credit, expected.Grant), "credit");
                break;
            default:
                Require(command.Other.Equals(expected), "command");
                break;
        }
    }

    private static void CompareEvent(HubCommand command, Event? expected)
    {
        Require(command.Event is null == expected is null, "presence of an event");
        if (command.Event is { } @event)
        {
            EventComparison.Compare(@event, expected!, command.Case == SessionCommand.CommandOneofCase.Publish);
        }
    }

    private static string Describe(SessionCommand command)
    {
        var @event = command.Send ?? command.Publish?.Event ?? command.Acknowledge?.Reply;
        return $"{command.CommandCase}{(@event is null ? "" : EventComparison.Describe(@event))}";
    }

    private static byte[] Encode(params ReadOnlySpan<SessionCommand> commands)
    {
        var request = new SessionRequest();
        foreach (var command in commands)
        {
            request.Commands.Add(command);
        }

        return request.ToByteArray();
    }

    // As it comes from a connection.
    private static ReadOnlySequence<byte> InTwoPieces(ReadOnlySpan<byte> input)
    {
        var first = new Piece(input[..(input.Length / 2)].ToArray());
        var second = first.Append(input[(input.Length / 2)..].ToArray());
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private static void Require(bool condition, string what) =>
        FuzzFailureException.ThrowIf(!condition, $"The {what} differs from that of the generated parser.");

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes) => Memory = bytes;

        public Piece Append(byte[] bytes)
        {
            var next = new Piece(bytes) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
