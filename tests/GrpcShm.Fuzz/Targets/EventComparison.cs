using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// Compares the event that the hub forwards with the message that the generated parser makes of the same bytes, stamped
/// as a message.
/// </summary>
internal static class EventComparison
{
    private const long Now = 17_640_000_000_000_000;
    private const string Group = "grüppe";

    /// <summary>Compares all that the hub knows of an event, and then what it forwards.</summary>
    /// <param name="routed">The event. It is stamped by this.</param>
    /// <param name="parsed">What the generated parser made of the same bytes.</param>
    /// <param name="isPublished">Whether it is published to a group.</param>
    public static void Compare(RoutedEvent routed, Event parsed, bool isPublished)
    {
        CompareText(routed, EventPart.Id, parsed.Id);
        CompareText(routed, EventPart.Name, parsed.Name);
        CompareText(routed, EventPart.Source, parsed.Source);
        CompareText(routed, EventPart.Target, parsed.Target);
        Require(routed.HasStateChange == parsed.StateChange is not null, "change of state");
        Require(routed.HasMachineChange == parsed.MachineChange is not null, "change of machines");
        Require(routed.Timestamp == parsed.Timestamp, "time");
        Require(routed.Sender == parsed.Sender, "sender");
        Require(routed.PayloadLength == parsed.Payload.Length, "length of the payload");
        Require(routed.Headers == parsed.Headers.Count, "number of headers");

        var expected = parsed.Clone();
        expected.Sender = StampOf(parsed.Sender);
        expected.Timestamp = parsed.Timestamp == 0 ? Now : parsed.Timestamp;
        expected.Group = "";
        routed.Stamp(StampOf(routed.Sender), Now);
        Require(routed.Size >= expected.CalculateSize(), "size");
        if (isPublished)
        {
            expected.Group = Group;
            routed.PutGroup(Group);
        }

        Require(routed.Group == expected.Group, "group");
        Require(routed.Size == routed.Encoded.Length, "size in bytes");
        Require(Event.Parser.ParseFrom(routed.Encoded).Equals(expected), "event in bytes");
        Require(routed.ToMessage().Equals(expected), "event as a message");
    }

    /// <summary>Names the fields that an event has, so that inputs with other fields are kept.</summary>
    public static string Describe(Event @event) => string.Concat(
        @event.Id.Length > 0 ? "i" : "",
        @event.Name.Length > 0 ? "n" : "",
        @event.Target.Length > 0 ? "t" : "",
        @event.Timestamp != 0 ? "T" : "",
        @event.Sender != 0 ? "s" : "",
        @event.Group.Length > 0 ? "g" : "",
        @event.StateChange is null ? "" : "c",
        @event.MachineChange is null ? "" : "m",
        @event.Headers.Count > 0 ? "h" : "",
        HasUnknownFields(@event) ? "u" : "");

    /// <summary>True if an event, or a message in it, has fields that the contract does not have.</summary>
    public static bool HasUnknownFields(Event @event) =>
        Event.Parser.WithDiscardUnknownFields(true).ParseFrom(@event.ToByteArray()).CalculateSize()
            != @event.CalculateSize();

    private static ulong StampOf(ulong claimed) => claimed == 0 ? 0 : claimed * 3 | 1;

    private static void CompareText(RoutedEvent routed, EventPart part, string expected)
    {
        Require(routed.IsEmpty(part) == (expected.Length == 0), $"emptiness of its {part}");
        Span<char> characters = stackalloc char[32];
        Require(
            !routed.TryDecode(part, characters, out var length) || characters[..length].SequenceEqual(expected),
            $"{part} by a short look");
        Require(
            !routed.IsPlain(part, 8)
                || (expected.Length <= 8 && expected.All(static c => c is >= ' ' and <= '~')),
            $"plain {part}");
        Require(routed.Text(part) == expected, $"{part}");
    }

    private static void Require(bool condition, string what) =>
        FuzzFailureException.ThrowIf(!condition, $"The {what} differs from that of the generated parser.");
}
