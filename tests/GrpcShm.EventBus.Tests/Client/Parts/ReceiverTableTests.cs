using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>A client's table of receivers, by itself.</summary>
public sealed class ReceiverTableTests
{
    private readonly ReceiverTable _table = new();

    [Fact]
    public void TryAddMachine_IdThatIsThere_IsRefusedUntilThatIsRemoved()
    {
        var first = Make(new Subscription { Inbox = "m" });
        var second = Make(new Subscription { Inbox = "m" });

        Assert.True(_table.TryAddMachine(first));
        Assert.False(_table.TryAddMachine(second));
        _table.Remove(second);
        Assert.True(_table.TryGetMachine("m", out var found));
        Assert.Same(first, found);
        _table.Remove(first);
        Assert.True(_table.TryAddMachine(second));
    }

    [Fact]
    public void TryTakeNumberOf_Twice_IsDoneOnce()
    {
        var receiver = Make(new Subscription { Inbox = "m" });
        _table.Add(receiver);

        Assert.True(_table.TryGet(receiver.Number, out _));
        Assert.True(_table.TryTakeNumberOf(receiver));
        Assert.False(_table.TryTakeNumberOf(receiver));
        Assert.False(_table.TryGet(receiver.Number, out _));
    }

    [Fact]
    public void Standing_SomeThatStand_AreThoseInTheOrderInWhichTheyWereMade()
    {
        var receivers = Enumerable.Range(0, 20).Select(i => Make(new Subscription { Group = $"g{i}" })).ToArray();
        foreach (var receiver in receivers.Reverse())
        {
            _table.Add(receiver);
        }

        foreach (var receiver in receivers.Skip(5))
        {
            receiver.Stand();
        }

        Assert.Equal(receivers.Skip(5), _table.ListStanding());
    }

    [Fact]
    public void AddObserver_TwiceOrEnded_IsThereOnceOrNot()
    {
        var observer = Make(new Subscription { Group = "g" });
        var ended = Make(new Subscription { Group = "g" });
        ended.End(new ClientEnd().MakeReason(null));

        _table.AddObserver(observer);
        _table.AddObserver(observer);
        _table.AddObserver(ended);
        Assert.Equal([observer], _table.Observers);
        _table.Remove(observer);
        Assert.Empty(_table.Observers);
    }

    private EventReceiver Make(Subscription subscription)
    {
        subscription.Number = _table.TakeNumber();
        var options = new EventBusClientOptions();
        var queue = new CommandQueue(1, 1);
        var events = new RaisedEvents(this, NullLogger.Instance);
        var host = new ReceiverHost(
            new PayloadCodecs(options),
            1,
            new ClientWaits(queue, new CurrentSession()),
            new EventInstruments(new MessagingMetrics(null, namesDestinations: false), events),
            events);
        return new EventReceiver(host, subscription, new MachineOptions(), 1, _ => Task.CompletedTask);
    }
}
