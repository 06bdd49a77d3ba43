using System.Buffers;
using Google.Protobuf;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// The bytes of a lane: frames with their lengths, from another process. However they are cut into pieces, the client
/// finds the same frames, and sees in each what the generated parser makes of it, or refuses what that one refuses.
/// </summary>
internal sealed class LaneFrameTarget : IFuzzTarget
{
    private const int Most = 512;

    public string Name => "lane-frame";

    public int Weight => 30;

    public int MaxLength => 800;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            yield return Stream(new LaneFrame
            {
                Hello = new LaneHello { Lane = 7, Token = ByteString.CopyFrom(1, 2, 3), Version = 1 },
            });
            yield return Stream(
                new LaneFrame { Welcome = new LaneWelcome { Version = 1 } },
                new LaneFrame
                {
                    Deliveries =
                    {
                        new Delivery { Subscription = 5, Number = 1, Event = EventSeeds.Small },
                        new Delivery
                        {
                            Subscription = 5,
                            Number = 2,
                            Acknowledgement = AcknowledgementLevel.Replied,
                            Event = EventSeeds.Full,
                        },
                    },
                    AcceptedThrough = 300,
                });
            yield return Stream(
                new LaneFrame
                {
                    Outcomes =
                    {
                        new LaneOutcome { Number = 3, NewState = "idle", Reply = EventSeeds.Small },
                        new LaneOutcome { Number = 4, Rerouted = true },
                    },
                    Credits = { new Credit { Subscription = 5, Deliveries = 512 } },
                },
                new LaneFrame
                {
                    Deliveries = { new Delivery { Event = EventSeeds.Change }, new Delivery { Fence = 3 } },
                },
                new LaneFrame { Closing = new LaneClosing { Message = "nobody uses it" } });
            yield return [0x80, 0x80, 0x80, 0x80, 0x80];
            yield return [0x83, 0x00, 1, 2, 3];
            yield return [0xFF, 0xFF, 0xFF, 0x7F];
        }
    }

    public string Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        var whole = Describe(new ReadOnlySequence<byte>(bytes));
        var pieces = Describe(Cut(bytes, (bytes.Length / 3) + 1));
        FuzzFailureException.ThrowIf(whole != pieces, $"In one piece: {whole}. In several: {pieces}.");
        return whole;
    }

    private static string Describe(ReadOnlySequence<byte> bytes)
    {
        var (frame, ways) = (new IncomingFrame(), new List<string>());
        try
        {
            while (LaneFrames.TryTake(ref bytes, Most, out var encoded))
            {
                ways.Add(Describe(frame, encoded.ToArray()));
            }
        }
        catch (LaneException exception)
        {
            ways.Add(exception.Message);
        }

        return string.Join(", ", ways.Distinct().Order(StringComparer.Ordinal).Take(3));
    }

    private static string Describe(IncomingFrame frame, byte[] encoded)
    {
        LaneFrame? expected = null;
        var refusal = "";
        try
        {
            expected = LaneFrame.Parser.ParseFrom(encoded);
        }
        catch (InvalidProtocolBufferException exception)
        {
            refusal = exception.Message;
        }

        try
        {
            frame.Parse(encoded);
        }
        catch (InvalidProtocolBufferException) when (expected is null)
        {
            return $"refused: {refusal}";
        }

        FuzzFailureException.ThrowIf(expected is null, $"The client takes what the parser refuses: {refusal}");
        Require(frame.AcceptedThrough == expected!.AcceptedThrough, "number of the last accepted delivery");
        Require(frame.Deliveries.Length == expected.Deliveries.Count, "number of deliveries");
        for (var i = 0; i < expected.Deliveries.Count; i++)
        {
            SessionResponseTarget.Compare(frame.Deliveries[i], expected.Deliveries[i]);
            var @event = expected.Deliveries[i].Event;
            var isSpecial = @event is { StateChange: not null } or { MachineChange: not null } or { Group.Length: > 0 };
            Require(frame.Deliveries[i].IsSpecial == isSpecial, "kind of the event");
        }

        var (others, rest) = (expected.Clone(), frame.Rest?.Clone() ?? new LaneFrame());
        others.Deliveries.Clear();
        rest.Deliveries.Clear();
        others.AcceptedThrough = rest.AcceptedThrough = 0;
        Require(rest.Equals(others), "rest");
        return frame.Rest is null ? "read" : frame.Rest.Deliveries.Count > 0 ? "left to the parser" : "both";
    }

    private static byte[] Stream(params LaneFrame[] frames)
    {
        using var stream = new MemoryStream();
        foreach (var frame in frames)
        {
            frame.WriteDelimitedTo(stream);
        }

        return stream.ToArray();
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int length)
    {
        var first = new Piece(bytes.AsMemory(0, Math.Min(length, bytes.Length)), null);
        var last = first;
        for (var at = length; at < bytes.Length; at += length)
        {
            last = new Piece(bytes.AsMemory(at, Math.Min(length, bytes.Length - at)), last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static void Require(bool condition, string what) =>
        FuzzFailureException.ThrowIf(!condition, $"The {what} differs from that of the generated parser.");

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
