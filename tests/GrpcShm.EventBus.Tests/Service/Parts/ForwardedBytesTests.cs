using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;
using static GrpcShm.EventBus.Tests.Wire.EncodedFields;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>
/// An event that many get is encoded once, and all of them get the same bytes in memory: those that came, or fewer.
/// </summary>
public sealed class ForwardedBytesTests : SessionPartTest
{
    private const int Recipients = 5;

    [Fact]
    public void Publish_ThatCameAsBytes_GoesToAllRecipientsAsTheSameBytes()
    {
        var command = Parsed(new SessionCommand
        {
            Publish = new Publication { Event = new Event { Name = "E", Source = "s" }, All = new AllMachines() },
        });

        Assert.IsType<ReceivedEvent>(command.Event);
        AssertShared(command.Publication, command.Event);
    }

    [Fact]
    public void Publish_OfTheHubsOwnProcess_IsEncodedOnceForAllRecipients()
    {
        var publication = new Publication { Event = new Event { Name = "E", Source = "s" }, All = new AllMachines() };

        AssertShared(publication, RoutedEvent.Of(publication.Event));
    }

    [Theory]
    [InlineData("9A0000")]
    [InlineData("1A00")]
    public void Send_WithASourceBehindAnotherOne_GoesOnWithTheOneThatTheHubHasChecked(string empty)
    {
        // Some parsers know a field by the bytes of its tag, and some take the first one of two.
        var sent = new Event { Name = "E", Target = "m", Source = "victim" };
        byte[] encoded = [.. sent.ToByteArray(), .. Convert.FromHexString(empty)];

        var @event = Received(encoded);

        Assert.Equal("", @event.Source);
        Assert.Equal(-1, @event.Encoded.IndexOf("victim"u8));
    }

    [Fact]
    public void Send_OfMoreBytesThanTheHubTakes_GoesOnAsTheFewerThatItNeeds()
    {
        var target = Subscribe("m", Owner, Outbox);
        var large = new Event { Payload = ByteString.CopyFrom(new byte[Options.MaxEventSize / 2]) }.ToByteArray();
        byte[] encoded = [.. large, .. large, .. new Event { Name = "E", Target = "m" }.ToByteArray()];
        Assert.True(encoded.Length > Options.MaxEventSize);

        var verdict = Hub.Router.Send(Received(encoded), null, new SessionOrigin(Owner), Context);

        Assert.True(verdict.IsOk, verdict.Message);
        var forwarded = Take(target);
        Assert.True(forwarded.Length < Options.MaxEventSize);
        Assert.Equal(Options.MaxEventSize / 2, Event.Parser.ParseFrom(forwarded).Payload.Length);
    }

    [Fact]
    public void Send_OfABitMoreThanTheHubTakes_IsRefusedByTheBytesThatItNeeds()
    {
        Subscribe("m", Owner, Outbox);
        var sent = new Event
        {
            Name = "E", Target = "m", Timestamp = 1, Payload = ByteString.CopyFrom(new byte[Options.MaxEventSize]),
        };
        byte[] encoded = [.. new Event { Name = "earlier" }.ToByteArray(), .. sent.ToByteArray()];

        var verdict = Hub.Router.Send(Received(encoded), null, new SessionOrigin(Owner), Context);

        Assert.Equal(StatusCode.ResourceExhausted, verdict.Code);
        Assert.Equal(
            $"The event has {sent.CalculateSize()} bytes; the hub takes at most {Options.MaxEventSize} (MaxEventSize).",
            verdict.Message);
    }

    /// <summary>Makes of an encoded event what the hub makes of a send of it.</summary>
    private static RoutedEvent Received(byte[] @event)
    {
        var command = Field(SessionCommand.SendFieldNumber, @event);
        var request = HubSessionRequest.Parse(Field(SessionRequest.CommandsFieldNumber, command));
        return Assert.Single(request.Commands).Event!;
    }

    private void AssertShared(Publication publication, RoutedEvent @event)
    {
        LiveSubscription[] machines =
            [.. Enumerable.Range(0, Recipients).Select(number => Subscribe($"m{number}", Owner, Outbox))];

        var verdict = Hub.Router.Publish(publication, @event, new SessionOrigin(Owner), Context, out var recipients);

        Assert.True(verdict.IsOk, verdict.Message);
        Assert.Equal(Recipients, recipients);
        ref var first = ref MemoryMarshal.GetReference(Take(machines[0]));
        foreach (var machine in machines[1..])
        {
            var encoded = Take(machine);
            Assert.Equal("E", Event.Parser.ParseFrom(encoded).Name);
            Assert.True(Unsafe.AreSame(ref first, ref MemoryMarshal.GetReference(encoded)));
        }
    }

    private static ReadOnlySpan<byte> Take(LiveSubscription machine)
    {
        var items = new MailItem[1];
        Assert.Equal(1, machine.Subscriber.Take(items, int.MaxValue));
        return machine.Subscriber.Deliver(items[0]).Event.Encoded;
    }
}
