using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// An event that a client sends to a hub. The hub's walker takes no event that the generated parser refuses, and what
/// is forwarded is what the generated parser would have made of it.
/// </summary>
internal sealed class EventTarget : IFuzzTarget
{
    private static readonly MessageParser<Event> WithoutUnknown = Event.Parser.WithDiscardUnknownFields(true);

    public string Name => "event";

    public int Weight => 30;

    public int MaxLength => 400;

    public IEnumerable<byte[]> Seeds =>
    [
        EventSeeds.Full.ToByteArray(),
        EventSeeds.Small.ToByteArray(),
        EventSeeds.Change.ToByteArray(),
        EventSeeds.Forged.ToByteArray(),
        .. EventSeeds.Unusual,
    ];

    public string Run(ReadOnlySpan<byte> input)
    {
        var parsed = Parse(input, out var refusal);
        var isPublished = input.Length % 2 == 1;
        if (ReceivedEvent.TryCreate(input, isPublished ? "room" : "", out var received))
        {
            FuzzFailureException.ThrowIf(parsed is null, $"The walker takes what the parser refuses: {refusal}");
            FuzzFailureException.ThrowIf(
                parsed!.CalculateSize() != input.Length, "The walker takes what is not encoded as an encoder does it.");
            EventComparison.Compare(received!, parsed, isPublished);
            return $"walked {EventComparison.Describe(parsed)}";
        }

        if (parsed is null)
        {
            return $"refused: {refusal}";
        }

        VerifyThatTheUsualIsWalked(parsed);
        EventComparison.Compare(RoutedEvent.Of(parsed.Clone()), parsed, isPublished);
        return $"left to the parser {EventComparison.Describe(parsed)}";
    }

    /// <summary>Parses an event by the generated parser.</summary>
    private static Event? Parse(ReadOnlySpan<byte> input, out string refusal)
    {
        try
        {
            refusal = "";
            return Event.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException exception)
        {
            refusal = exception.Message;
            return null;
        }
    }

    // As an encoder writes it, and without what no client of this contract sends, each event is walked.
    private static void VerifyThatTheUsualIsWalked(Event parsed)
    {
        var usual = WithoutUnknown.ParseFrom(parsed.ToByteArray());
        usual.MachineChange = null;
        FuzzFailureException.ThrowIf(
            !EventWalker.TryWalk(usual.ToByteArray(), out _), "The walker does not take an event of a usual client.");
    }
}
