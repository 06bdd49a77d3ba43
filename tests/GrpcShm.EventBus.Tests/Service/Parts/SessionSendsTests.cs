using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>The sends of one session, by themselves.</summary>
public sealed class SessionSendsTests : SessionPartTest
{
    private readonly Channel<Outcome> _answers = Channel.CreateUnbounded<Outcome>();
    private readonly SessionWaits _waits;
    private readonly SessionSends _sends;

    public SessionSendsTests()
    {
        _waits = new SessionWaits(Hub, Outbox);
        _sends = new SessionSends(
            Hub, Owner, new SessionOrigin(Owner), _waits, outcome => _answers.Writer.TryWrite(outcome.Outcome));
    }

    [Fact]
    public async Task Send_ThatWaits_IsAnsweredByItsNumberAndGivesItsShareBack()
    {
        var target = Subscribe("t", MakeOwner("other"), Outbox);
        var send = MakeSend(7, AcknowledgementLevel.Processed);
        Assert.True(_sends.Send(Parsed(send), Context).IsOk);
        Assert.Equal(1, Owner.Budget.Acknowledgements.Used);

        Answer(target, "done");

        var answer = await _answers.Reader.ReadAsync().InTime();
        Assert.Equal((7ul, "id", "done", 0), (answer.Number, answer.EventId, answer.NewState, answer.StatusCode));
        Assert.Equal(0, Owner.Budget.Acknowledgements.Used);
    }

    [Fact]
    public void Send_ToNobody_IsRefusedAtOnceAndLeavesNothing()
    {
        Subscribe("m", Owner, Outbox);
        var send = MakeSend(1, AcknowledgementLevel.Processed);
        send.Waiting = new HandlerWait { Number = 1, MachineId = "m" };

        Assert.Equal(StatusCode.NotFound, _sends.Send(Parsed(send), Context).Code);

        Assert.Equal(0, Owner.Budget.Acknowledgements.Used);
        Assert.Equal(0, Hub.Waits.Count);
        Assert.False(_sends.TryFailPending(Verdict.Full("t")));
    }

    [Fact]
    public void Send_ThatWaitsWithoutANumber_IsInvalid()
    {
        Subscribe("t", Owner, Outbox);

        Assert.Equal(
            StatusCode.InvalidArgument, _sends.Send(Parsed(MakeSend(0, AcknowledgementLevel.Delivered)), Context).Code);
        Assert.Equal(
            StatusCode.InvalidArgument, _sends.Send(Parsed(MakeSend(1, (AcknowledgementLevel)9)), Context).Code);
        Assert.True(_sends.Send(Parsed(MakeSend(0, AcknowledgementLevel.Accepted)), Context).IsOk);
    }

    [Fact]
    public async Task TryFailPending_WhileTheCommandIsInHand_AnswersIt()
    {
        Subscribe("t", Owner, Outbox);
        Assert.True(_sends.Send(Parsed(MakeSend(3, AcknowledgementLevel.Delivered)), Context).IsOk);

        Assert.True(_sends.TryFailPending(Verdict.Full("t")));
        _sends.ForgetPending();

        Assert.False(_sends.TryFailPending(Verdict.Full("t")));
        var answer = await _answers.Reader.ReadAsync().InTime();
        Assert.Equal((3ul, (int)StatusCode.ResourceExhausted), (answer.Number, answer.StatusCode));
    }

    [Fact]
    public async Task Send_ThatWaitsWhenTheSessionIsOver_IsNotAnswered()
    {
        using var over = new CancellationTokenSource();
        _sends.Over = over.Token;
        var target = Subscribe("t", MakeOwner("other"), Outbox);
        _sends.Send(Parsed(MakeSend(1, AcknowledgementLevel.Processed)), Context);

        await over.CancelAsync();
        await TimeLimit.UntilAsync(() => Owner.Budget.Acknowledgements.Used == 0);

        Answer(target, "late");
        Assert.False(_answers.Reader.TryRead(out _));
    }

    private static SessionCommand MakeSend(ulong number, AcknowledgementLevel level) => new()
    {
        Number = number,
        Acknowledgement = level,
        Send = new Event { Id = "id", Name = "E", Source = "nobody's", Target = "t" },
    };

    private void Answer(LiveSubscription target, string state)
    {
        var items = new MailItem[1];
        Assert.Equal(1, target.Subscriber.Take(items, int.MaxValue));
        var delivery = target.Subscriber.Deliver(items[0]);
        Hub.Router.Acknowledge(
            target.Subscriber,
            new Acknowledgement { Number = delivery.Number, NewState = state },
            null,
            new HubOrigin());
    }
}
