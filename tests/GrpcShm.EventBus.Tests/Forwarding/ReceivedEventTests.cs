using System.Globalization;
using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Forwarding;

/// <summary>What the hub makes of the bytes of an event, and what the generated parser makes of them.</summary>
public sealed class ReceivedEventTests
{
    private const long Now = 17_640_000_000_000_000;

    // A field of the number 100, which the contract does not have, with two bytes.
    private static readonly byte[] Unknown = [0xA2, 0x06, 0x02, 0x61, 0x62];

    private static readonly Gen<string> Texts = Gen.String[Gen.Char["abé€\u0007"], 0, 6];

    // One field each. A client may send them in any order, and each of them more than once.
    private static readonly Gen<byte[]> Fields = Gen.OneOf(
        Texts.Select(static text => Encoded(new Event { Id = text })),
        Texts.Select(static text => Encoded(new Event { Name = text })),
        Texts.Select(static text => Encoded(new Event { Source = text })),
        Texts.Select(static text => Encoded(new Event { Target = text })),
        Gen.Byte.Array[0, 9].Select(static bytes => Encoded(new Event { Payload = ByteString.CopyFrom(bytes) })),
        Texts.Select(static text => Encoded(new Event { ContentType = text, TypeName = text, CausationId = text })),
        Texts.Select(static text => Encoded(new Event { Headers = { new Header { Name = text, Value = "v" } } })),
        Gen.Long.Select(static time => Encoded(new Event { Timestamp = time })),
        Gen.Const(new byte[] { 0x48, 0x00 }),
        Gen.UInt.Select(static number => Encoded(new Event { Version = number, Sequence = number })),
        Texts.Select(static text => Encoded(new Event { StateChange = new StateChange { NewState = text } })),
        Texts.Select(static text => Encoded(new Event { StateChange = new StateChange { OldState = text } })),
        Gen.Const(Unknown));

    // These may come once each.
    private static readonly Gen<byte[]> HubsOwn = Gen.OneOf(
        Gen.ULong.Select(static number => Encoded(new Event { Sender = number })),
        Texts.Select(static text => Encoded(new Event { Group = text })),
        Gen.Const(Array.Empty<byte>()));

    /// <summary>Events that no parser takes, in hexadecimal.</summary>
    public static TheoryData<string> Malformed { get; } =
    [
        "00", // The field 0.
        "08", // A number without a value.
        "12", // A text without a length.
        "120541", // A text that is too short for its length.
        "1202C328", // A name that is no UTF-8.
        "3201FF", // A content type that is no UTF-8.
        "8A0101FF", // A group that is no UTF-8.
        "420412024180", // A header whose value is no UTF-8.
        "42030A0541", // A header that ends too early.
        "6A030A01FF", // A state that is no UTF-8.
        "6A0108", // A change of state that ends too early.
        "4880808080808080808080808001", // A number of more than ten bytes.
        "71010203", // A sender of three bytes.
        "12FFFFFFFF0F", // A text with a negative length.
        "A706", // A wire type that does not exist.
        "A306", // A group that does not end.
        "A406", // The end of a group that has not begun.
        "A506010203", // Four bytes of which one is missing.
    ];

    /// <summary>Events that the generated parser takes, and the walker leaves to it, in hexadecimal.</summary>
    public static TheoryData<string> LeftToTheParser { get; } =
    [
        "120141" + "A306A406", // A group in an unknown field.
        "120141" + "820100", // A change of machines.
        "120141" + "8A010141" + "8A010142" + "8A010143", // More than two fields that only the hub may set.
        "92808080808000" + "0141", // A tag of more bytes than five.
        "12818080808000" + "41", // A length of more bytes than five.
        "128100" + "41", // A length of more bytes than it needs.
        "120141" + "1A0676696374696D" + "9A0000", // A source behind another one, with a tag that is too long.
        "120142" + "120141", // A name that comes twice.
        "120141" + "1A00", // A source that need not be written.
        "120141" + "4800", // A time that need not be written.
        "120141" + "48FFFFFFFFFFFFFFFFFF7F", // A time of more than 64 bits.
        "120141" + "4881808080808080808000", // A time of more bytes than it needs.
        "120141" + "50808080808001", // A version of more than 32 bits.
        "120141" + "A006FFFFFFFFFFFFFFFFFF7F", // An unknown number of more than 64 bits.
        "120141" + "6A0B38FFFFFFFFFFFFFFFFFF7F", // A change of state with a time of more than 64 bits.
        "120141" + "6A060A01610A0162", // A change of state in which a field comes twice.
        "120141" + "42060A01610A0162", // A header whose name comes twice.
        "120141" + "2A0101" + "2A0102", // A payload that comes twice.
    ];

    [Fact]
    public void Create_AnyFieldsInAnyOrder_MeansWhatTheParserSaysAfterTheStamp()
    {
        Gen.Select(Fields.Array[0, 12], HubsOwn, HubsOwn, Fields.Array[0, 3], Texts).Sample(
            static (before, one, other, after, group) =>
            {
                byte[][] fields = [.. before, one, other, .. after];
                byte[] asTheyCome = [.. fields.SelectMany(static field => field)];
                var firsts = fields.DistinctBy(static field => field.FirstOrDefault());
                byte[] eachOnce = [.. firsts.SelectMany(static field => field)];
                Compare(asTheyCome, group);
                Compare(eachOnce, group);
            },
            iter: 20_000);

        static void Compare(byte[] bytes, string group)
        {
            var expected = Event.Parser.ParseFrom(bytes);

            // Exactly what an encoder writes is forwarded as it came.
            var isUsual = expected.CalculateSize() == bytes.Length;
            Assert.Equal(isUsual, ReceivedEvent.TryCreate(bytes, "", out var walked));
            RoutedEvent received = walked is null ? RoutedEvent.Of(expected.Clone()) : walked;
            if (walked is null)
            {
                // What the hub itself sets has been left out already.
                expected.Group = "";
            }

            Assert.Equal(expected.Sender, received.Sender);
            Assert.Equal(expected.Timestamp, received.Timestamp);
            Assert.Equal(expected.Payload.Length, received.PayloadLength);
            Assert.Equal(expected.Headers.Count, received.Headers);
            Assert.Equal(expected.StateChange is not null, received.HasStateChange);
            Assert.False(received.HasMachineChange);
            received.Stamp(5, Now);
            received.PutGroup(group);
            (expected.Sender, expected.Group) = (5, group);
            expected.Timestamp = expected.Timestamp == 0 ? Now : expected.Timestamp;

            Assert.Equal(
                (expected.Id, expected.Name, expected.Source, expected.Target),
                (received.Id, received.Name, received.Source, received.Target));
            Assert.Equal(expected, Event.Parser.ParseFrom(received.Encoded));
            Assert.Equal(expected, received.ToMessage());
            Assert.Equal(expected.CalculateSize(), received.Size);
            Assert.Equal(received.Encoded.Length, received.Size);
        }
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Create_Malformed_IsTakenByNobody(string hexadecimal)
    {
        var bytes = Convert.FromHexString(hexadecimal);

        Assert.Throws<InvalidProtocolBufferException>(() => Event.Parser.ParseFrom(bytes));
        Assert.False(ReceivedEvent.TryCreate(bytes, "", out _));
    }

    [Theory]
    [MemberData(nameof(LeftToTheParser))]
    public void Create_WhatNoUsualClientSends_IsLeftToTheParser(string hexadecimal)
    {
        var bytes = Convert.FromHexString(hexadecimal);

        Assert.Equal("A", Event.Parser.ParseFrom(bytes).Name);
        Assert.False(ReceivedEvent.TryCreate(bytes, "", out _));
    }

    [Fact]
    public void Encoded_WithoutAnythingToStamp_IsWhatCame()
    {
        byte[] bytes = [.. Encoded(new Event { Name = "E", Target = "m", Timestamp = 1, Sequence = 2 }), .. Unknown];
        Assert.True(ReceivedEvent.TryCreate(bytes, "", out var received));

        received!.Stamp(0, Now);
        received.PutGroup("");

        Assert.Equal(bytes, received.Encoded.ToArray());
    }

    [Fact]
    public void Encoded_AfterTheReceivedBytesHaveChanged_IsTheSame()
    {
        var bytes = Encoded(new Event { Name = "E", Target = "m" });
        Assert.True(ReceivedEvent.TryCreate(bytes, "", out var received));

        Array.Clear(bytes);

        Assert.Equal(("E", "m"), (received!.Name, received.Target));
        Assert.Equal(new Event { Name = "E", Target = "m" }, received.ToMessage());
    }

    [Fact]
    public void Stamp_WithoutASender_LeavesNoneThatTheClientClaims()
    {
        var bytes = Encoded(new Event { Name = "E", Sender = ulong.MaxValue, Sequence = 3, Group = "forged" });
        Assert.True(ReceivedEvent.TryCreate(bytes, "", out var received));

        received!.Stamp(0, Now);
        received.PutGroup("");

        Assert.Equal(new Event { Name = "E", Sequence = 3, Timestamp = Now }, received.ToMessage());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200)]
    public void PutGroup_OfAnyLength_HasRoomWhetherItWasKnownOrNot(int length)
    {
        var group = new string('€', length);
        var bytes = Encoded(new Event { Name = "E", Timestamp = 1 });
        foreach (var known in new[] { "", group })
        {
            Assert.True(ReceivedEvent.TryCreate(bytes, known, out var received));

            received!.Stamp(ulong.MaxValue, Now);
            received.PutGroup(group);

            var expected = new Event { Name = "E", Timestamp = 1, Sender = ulong.MaxValue, Group = group };
            Assert.Equal(expected, received.ToMessage());
            Assert.Equal(group, received.Group);
        }
    }

    [Theory]
    [InlineData("", 0, true)]
    [InlineData("abc ~", 5, true)]
    [InlineData("abc ~", 4, false)]
    [InlineData("a\u007F", 9, false)]
    [InlineData("a\n", 9, false)]
    [InlineData("é", 9, false)]
    public void IsPlain_Text_OnlyIfItIsShortAndPrintable(string name, int maxBytes, bool expected)
    {
        Assert.True(ReceivedEvent.TryCreate(Encoded(new Event { Name = name }), "", out var received));

        Assert.Equal(expected, received!.IsPlain(EventPart.Name, maxBytes));
        Assert.Equal(name.Length == 0, received.IsEmpty(EventPart.Name));
    }

    [Fact]
    public void TryDecode_AsLongAsThereIsNoString_DecodesIntoTheCallersMemory()
    {
        Assert.True(ReceivedEvent.TryCreate(Encoded(new Event { Target = "tür" }), "", out var received));
        Span<char> characters = stackalloc char[3];

        Assert.False(received!.TryDecode(EventPart.Target, characters[..2], out _));
        Assert.True(received.TryDecode(EventPart.Target, characters, out var length));
        Assert.Equal("tür", characters[..length].ToString());

        var known = string.Concat("t", "ür");
        received.Remember(EventPart.Target, known);
        Assert.False(received.TryDecode(EventPart.Target, characters, out _));
        Assert.Same(known, received.Target);
    }

    [Fact]
    public void Texts_DecodedOnce_AreTheSameStrings()
    {
        var message = new Event { Id = "1", Name = "2", Source = "3", Target = "4" };
        Assert.True(ReceivedEvent.TryCreate(Encoded(message), "", out var received));

        foreach (var part in Enum.GetValues<EventPart>())
        {
            var text = received!.Text(part);
            Assert.Equal(((int)part + 1).ToString(CultureInfo.InvariantCulture), text);
            Assert.Same(text, received.Text(part));
        }
    }

    private static byte[] Encoded(Event @event) => @event.ToByteArray();
}
