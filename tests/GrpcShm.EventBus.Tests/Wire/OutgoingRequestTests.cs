using System.Buffers;
using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>
/// What a client writes, compared with what the generated messages write. Other hubs may depend on each byte of it.
/// </summary>
public sealed class OutgoingRequestTests
{
    // Around the lengths at which a length gets one more byte, and with halves of characters.
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Const(""),
        Gen.String[Gen.Char["abé€\u0007\ud83d\ude00"], 0, 9],
        Gen.String[Gen.Char["aé€"], 40, 45],
        Gen.String[Gen.Char["aé€"], 120, 130],
        Gen.String[Gen.Char["aé€"], 600, 700]);

    private static readonly Gen<ulong> Numbers = Gen.OneOf(Gen.Const(0ul), Gen.ULong[1, 300], Gen.ULong);

    private static readonly Gen<NewPayload> Payloads =
        Gen.Select(
            Gen.OneOf(Gen.Byte.Array[0, 9], Gen.Byte.Array[120, 130], Gen.Byte.Array[1020, 1030]),
            Texts,
            Texts,
            Gen.Bool)
            .Select(static (data, contentType, typeName, isBorrowed) =>
                new NewPayload(data, contentType, typeName, isBorrowed));

    private static readonly Gen<EventSendOptions> Options =
        Gen.Select(Texts, Texts, Texts, Gen.Int, Gen.Select(Texts, Texts).Array[0, 3]).Select(
            static (id, correlation, causation, version, headers) => new EventSendOptions
            {
                Id = id,
                CorrelationId = correlation,
                CausationId = causation,
                Version = version,
                Headers = headers.DistinctBy(static header => header.Item1).ToDictionary(),
            });

    private static readonly Gen<StateChange> Changes =
        Gen.Select(Texts, Texts, Gen.Long, Gen.Byte.Array[0, 200]).Select(
            static (oldState, newState, duration, context) => new StateChange
            {
                OldState = oldState,
                NewState = newState,
                Duration = duration,
                Context = ByteString.CopyFrom(context),
            });

    private static readonly Gen<TraceContext> Contexts = Gen.Select(Texts.Null(), Texts.Null()).Select(
        static (parent, state) => new TraceContext(parent, parent is null ? null : state));

    private static readonly Gen<NewEvent> Events =
        Gen.Select(
            Gen.Select(Texts, Texts, Texts),
            Gen.OneOf(Gen.Long, Gen.Const(0L)),
            Payloads,
            Options.Null(),
            Changes.Null()).Select(static (names, time, payload, options, change) => new NewEvent(
                new EventNames(names.Item1, names.Item2, names.Item3),
                time,
                payload,
                options,
                [.. options?.Headers ?? new Dictionary<string, string>()])
            {
                StateChange = change,
            });

    private static readonly Gen<Publication> Audiences = Gen.OneOf(
        Gen.Const(new Publication { All = new AllMachines() }),
        Gen.Const(new Publication { Observers = new Observers(), ExcludeSource = true }),
        Texts.Select(static group => new Publication { Group = group, ExcludeSource = true }),
        Texts.Select(static pattern => new Publication { MachinePattern = pattern }));

    private static readonly Gen<HandlerWait> Waits = Gen.Select(Numbers, Texts).Select(
        static (number, machine) => new HandlerWait { Number = number, MachineId = machine });

    private static readonly Gen<(OutgoingCommand Command, SessionCommand Expected)> Sends =
        Gen.Select(
            Events,
            Contexts,
            Gen.Select(Numbers, Numbers, Numbers),
            Gen.Select(Gen.Enum<AcknowledgementLevel>(), Gen.UInt),
            Audiences.Null(),
            Waits.Null()).Select(static (@event, context, numbers, wanted, audience, wait) =>
            {
                var (number, sender, sequence) = numbers;
                var pending = new PendingEvent(@event.Names, EventEncoder.Encode(@event, context, []))
                {
                    Level = wanted.Item1, TimeoutMilliseconds = wanted.Item2, Publication = audience, Waiting = wait,
                };
                pending.SetPlace(sender, sequence);
                pending.Number = number;

                var message = @event.ToMessage();
                EventTracing.PutContext(message, context);
                (message.Sender, message.Sequence) = (sender, sequence);
                Assert.Equal(message.CalculateSize(), pending.EventSize);
                return (new OutgoingCommand(pending, null), ToCommand(pending, message));
            });

    private static readonly Gen<(OutgoingCommand Command, SessionCommand Expected)> Others = Gen.Select(
        Gen.UInt, Numbers, Gen.Bool).Select(static (credit, number, isNote) =>
        {
            var message = new SessionCommand { Number = number, Grant = new Credit { Deliveries = credit } };
            return isNote
                ? (new OutgoingCommand(null, message), message)
                : (new OutgoingCommand(MakePending(message), null), message);
        });

    [Fact]
    public void WriteTo_AnyCommands_WritesTheBytesOfTheMessages() =>
        Gen.OneOf(Sends, Sends, Others).Array[0, 5].Sample(static commands =>
        {
            var request = new OutgoingRequest();
            request.Commands.AddRange(commands.Select(static command => command.Command));

            AssertWrites(new SessionRequest { Commands = { commands.Select(static c => c.Expected) } }, request);
        });

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(200_000, true)]
    public void WriteTo_APart_WritesTheBytesOfTheMessage(int length, bool isFollowed)
    {
        var part = ByteString.CopyFrom(new byte[length]);

        AssertWrites(
            new SessionRequest { Part = part, PartFollows = isFollowed },
            new OutgoingRequest { Part = part, PartFollows = isFollowed });
    }

    [Fact]
    public void Size_OfACommandWithTheLongestNumbers_IsNoLessThanItsBytes()
    {
        var pending = MakeSend(new NewPayload(new byte[200], "", "", IsBorrowed: false));
        var size = pending.Size;

        pending.SetPlace(ulong.MaxValue, ulong.MaxValue);

        Assert.InRange(pending.CalculateSize(ulong.MaxValue), size - 30, size);
        Assert.Equal(size, pending.Size);
    }

    [Fact]
    public void Encode_BorrowedBytes_AreCopied()
    {
        byte[] bytes = [1, 2, 3];
        var payload = new NewPayload(bytes, "", "", IsBorrowed: true);
        var (owned, message) = (payload.ToOwned(), payload.ToByteString());
        var request = new OutgoingRequest { Commands = { new OutgoingCommand(MakeSend(payload), null) } };

        bytes[0] = 9;

        var sent = SessionRequest.Parser.ParseFrom(request.Encode().Span).Commands[0].Send.Payload;
        Assert.Equal([1, 2, 3], sent.ToByteArray());
        Assert.Equal([1, 2, 3], owned.Data.ToArray());
        Assert.False(owned.IsBorrowed);
        Assert.Equal([1, 2, 3], message.ToByteArray());
    }

    [Fact]
    public void WriteTo_ACommandThatGotAnotherNumberMeanwhile_WritesTheNumberOfItsSession()
    {
        var message = new SessionCommand { Number = 5, Grant = new Credit { Deliveries = 1 } };
        var (send, other) = (MakeSend(NewPayload.None), MakePending(message));
        send.Number = 4;
        var request = new OutgoingRequest
        {
            Commands = { new OutgoingCommand(send, null), new OutgoingCommand(other, null) },
        };
        var size = request.CalculateSize();

        // The next session has many more commands before it.
        send.Number = other.Number = ulong.MaxValue;

        var written = request.Encode();
        Assert.Equal(size, written.Length);
        var commands = SessionRequest.Parser.ParseFrom(written.Span).Commands;
        Assert.Equal([4ul, 5ul], commands.Select(static command => command.Number));
    }

    [Theory]
    [InlineData(1024, false, false)]
    [InlineData(1025, false, true)]
    [InlineData(100_000, false, true)]
    [InlineData(100_000, true, false)]
    public void Encode_APayload_IsReferredToIfItIsLargeAndNobodyChangesIt(
        int length, bool isBorrowed, bool isReferredTo)
    {
        var bytes = new byte[length];
        var names = new EventNames("s", "t", "E");
        var @event = new NewEvent(names, 1, new NewPayload(bytes, "c", "y", isBorrowed), null, []);

        var encoded = EventEncoder.Encode(@event, default, []);

        Assert.Equal(isReferredTo, encoded.Payload.Span == bytes);
        byte[] whole = [.. encoded.Head, .. encoded.Payload.Span, .. encoded.Tail];
        Assert.Equal(encoded.Length, whole.Length);
        Assert.Equal(@event.ToMessage(), Event.Parser.ParseFrom(whole));
    }

    [Fact]
    public void Write_IntoAWriterThatGivesNoMemory_Throws()
    {
        Assert.Throws<InvalidOperationException>(static () =>
        {
            var writer = new FieldWriter(new ExactWriter(0));
            writer.Write([1]);
        });
    }

    private static PendingMessage MakePending(SessionCommand message)
    {
        var command = message.Clone();
        command.Number = 0;
        return new PendingMessage(command) { Number = message.Number };
    }

    private static PendingEvent MakeSend(NewPayload payload)
    {
        var names = new EventNames("s", "t", "E");
        return new PendingEvent(names, EventEncoder.Encode(new NewEvent(names, 1, payload, null, []), default, []));
    }

    private static SessionCommand ToCommand(PendingEvent pending, Event message)
    {
        var command = new SessionCommand
        {
            Number = pending.Number,
            Acknowledgement = pending.Level,
            TimeoutMilliseconds = pending.TimeoutMilliseconds,
            Waiting = pending.Waiting,
        };
        if (pending.Publication is null)
        {
            command.Send = message;
        }
        else
        {
            command.Publish = pending.Publication.Clone();
            command.Publish.Event = message;
        }

        return command;
    }

    private static void AssertWrites(SessionRequest expected, OutgoingRequest request)
    {
        var written = request.Encode();

        Assert.Equal(Convert.ToHexString(expected.ToByteArray()), Convert.ToHexString(written.Span));
        Assert.Equal(written.Length, request.CalculateSize());

        // Channels give the memory of the length that they were told, and no more.
        var exact = new ExactWriter(written.Length);
        request.WriteTo(exact);
        Assert.True(exact.Written.SequenceEqual(written.Span));
    }
    private sealed class ExactWriter(int length) : IBufferWriter<byte>
    {
        private readonly byte[] _bytes = new byte[length];
        private int _count;

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _count);

        public void Advance(int count) => _count += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.AsMemory(_count);

        public Span<byte> GetSpan(int sizeHint = 0) => _bytes.AsSpan(_count);
    }
}
