using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>An event that many get is encoded once, and all of them get the same bytes in memory.</summary>
public sealed class SharedBytesTests : SessionPartTest
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
