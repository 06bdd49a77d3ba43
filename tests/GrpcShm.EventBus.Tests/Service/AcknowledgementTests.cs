using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class AcknowledgementTests : HubTest
{
    [Fact]
    public async Task Send_Accepted_ReturnsBeforeTheTargetReads()
    {
        await using var owner = OpenSession();
        await owner.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "m" } }).InTime();

        await Client.SendAsync(new SendRequest { Event = NewEvent("m") }).ResponseAsync.InTime();
    }

    [Theory]
    [InlineData(AcknowledgementLevel.Delivered)]
    [InlineData(AcknowledgementLevel.Processed)]
    public async Task Send_WithALaterLevel_ReturnsOnceTheTargetAcknowledges(AcknowledgementLevel level)
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.SendAsync(new SendRequest { Event = NewEvent("m"), Acknowledgement = level });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        Assert.Equal(level, delivery.Acknowledgement);
        Assert.False(call.ResponseAsync.IsCompleted);
        await target.SendAsync(Acknowledge(delivery, new Acknowledgement { NewState = "done" })).InTime();

        Assert.Equal("done", (await call.ResponseAsync.InTime()).NewState);
    }

    [Fact]
    public async Task Ask_Machine_GetsItsReply()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m", "QUESTION") });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        await target.SendAsync(Acknowledge(delivery, new Acknowledgement { Reply = new Event { Name = "ANSWER" } })).InTime();

        Assert.Equal("ANSWER", (await call.ResponseAsync.InTime()).Reply.Name);
    }

    [Fact]
    public async Task Ask_TargetFailsWithALongAndStrangeText_AskerHearsABoundedAndHarmlessOne()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m", "QUESTION") });
        var text = "no\e[2J\r\n" + new string('x', 70_000);

        var delivery = await target.Deliveries.ReadAsync().InTime();
        var failure = new Acknowledgement { StatusCode = (int)StatusCode.FailedPrecondition, Message = text };
        await target.SendAsync(Acknowledge(delivery, failure)).InTime();

        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());
        Assert.Equal(StatusCode.FailedPrecondition, exception.StatusCode);
        Assert.StartsWith("no\uFFFD[2J\uFFFD\uFFFDxxx", exception.Status.Detail, StringComparison.Ordinal);
        Assert.InRange(exception.Status.Detail.Length, 1, PeerText.MaxSentence);
    }

    [Fact]
    public async Task Ask_NotAnsweredWithinItsDeadline_IsDeadlineExceededAndALateReplyDoesNoHarm()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m", "QUESTION") }, deadline: DateTime.UtcNow.AddMilliseconds(200));
        var delivery = await target.Deliveries.ReadAsync().InTime();

        await FailsAsync(call, StatusCode.DeadlineExceeded);

        await target.SendAsync(Acknowledge(delivery, new Acknowledgement { Reply = new Event { Name = "LATE" } })).InTime();
        await target.SendAsync(Send("m", "NEXT")).InTime();
        Assert.Equal("NEXT", (await target.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.Empty(target.Failures);
    }

    [Fact]
    public async Task Ask_InASession_GetsTheReplyInTheOutcome()
    {
        await using var target = await OpenMachineAsync("m");
        await using var sender = OpenSession();
        var question = Send("m", "QUESTION");
        question.Acknowledgement = AcknowledgementLevel.Replied;
        var asking = sender.ExecuteAsync(question);

        var delivery = await target.Deliveries.ReadAsync().InTime();
        await target.SendAsync(Acknowledge(
            delivery, new Acknowledgement { NewState = "idle", Reply = new Event { Name = "ANSWER" } })).InTime();

        var outcome = await asking.InTime();
        Assert.Equal(0, outcome.StatusCode);
        Assert.Equal("ANSWER", outcome.Reply.Name);
        Assert.Equal("idle", outcome.NewState);
    }

    [Fact]
    public async Task Ask_AnsweredWithoutAReply_IsInternal()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m") });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        await target.SendAsync(Acknowledge(delivery, new Acknowledgement())).InTime();

        await FailsAsync(call, StatusCode.Internal);
    }

    [Fact]
    public async Task Ask_WhenTheTargetFails_GetsItsStatus()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m") });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        await target.SendAsync(Acknowledge(
            delivery, new Acknowledgement { StatusCode = (int)StatusCode.FailedPrecondition, Message = "not now" })).InTime();

        Assert.Equal("not now", (await FailsAsync(call, StatusCode.FailedPrecondition)).Status.Detail);
    }

    [Fact]
    public async Task Send_ProcessedInASession_TimesOut()
    {
        await using var target = await OpenMachineAsync("m");
        await using var sender = OpenSession();
        var command = Send("m");
        command.Acknowledgement = AcknowledgementLevel.Processed;
        command.TimeoutMilliseconds = 50;

        var outcome = await sender.ExecuteAsync(command).InTime();

        Assert.Equal((int)StatusCode.DeadlineExceeded, outcome.StatusCode);
        Assert.Equal("m", outcome.MachineId);
    }

    [Fact]
    public async Task Send_ProcessedByTargetThatGoes_IsUnavailableAndNamesIt()
    {
        var target = await OpenMachineAsync("m");
        var call = Client.SendAsync(new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
        await target.Deliveries.ReadAsync().InTime();

        await target.DisposeAsync().InTime();

        var exception = await FailsAsync(call, StatusCode.Unavailable);
        Assert.Contains("'m'", exception.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("m"u8.ToArray(), exception.Trailers.GetValueBytes("xstatenet-machine-bin"));
    }

    [Fact]
    public async Task Send_ProcessedToAMachineThatGoesUnclaimed_IsUnavailable()
    {
        await using var owner = OpenSession();
        await owner.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "m" } }).InTime();
        var command = Send("m");
        command.Acknowledgement = AcknowledgementLevel.Processed;

        // The machine goes while the event still waits for its first subscription.
        var sending = owner.ExecuteAsync(command);
        await owner.ExecuteAsync(new SessionCommand { Unregister = "m" }).InTime();

        Assert.Equal((int)StatusCode.Unavailable, (await sending.InTime()).StatusCode);
    }

    [Fact]
    public async Task Acknowledge_OfASubscribeCall_ReachesTheSender()
    {
        using var call = Client.Subscribe(new SubscribeRequest { Subscription = new Subscription { Inbox = "m" } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        var id = call.ResponseStream.Current.Subscribed.SubscriptionId;
        var sending = Client.SendAsync(new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        var delivery = Assert.Single(call.ResponseStream.Current.Deliveries);

        await Client.AcknowledgeAsync(new AcknowledgeRequest
        {
            SubscriptionId = id,
            Acknowledgements = { new Acknowledgement { Number = delivery.Number, NewState = "s2" } },
        }).ResponseAsync.InTime();

        Assert.Equal("s2", (await sending.ResponseAsync.InTime()).NewState);
    }

    [Fact]
    public async Task LocalMachine_InTheHubsProcess_IsSentToAndAsked()
    {
        await using var local = Server.Hub.AddMachine("local", (question, _) => ValueTask.FromResult<Acknowledgement?>(
            new Acknowledgement { Reply = new Event { Name = question.Name + "!" }, NewState = "s" }));

        var answer = await Client.AskAsync(new AskRequest { Event = NewEvent("local", "HELLO") }).ResponseAsync.InTime();

        Assert.Equal("HELLO!", answer.Reply.Name);
        Assert.Equal("s", answer.NewState);
    }

    [Fact]
    public async Task LocalMachine_SendsAndFails_AsOthersDo()
    {
        await using var target = await OpenMachineAsync("m");
        await using var local = Server.Hub.AddMachine("local", (_, _) => throw new InvalidOperationException("broken"));

        await local.SendAsync(new Event { Name = "FROM-LOCAL", Target = "m" }).InTime();
        var unknown = await Assert.ThrowsAsync<RpcException>(
            () => local.SendAsync(new Event { Name = "X", Target = "nobody" }).InTime());
        var asked = await FailsAsync(Client.AskAsync(new AskRequest { Event = NewEvent("local") }), StatusCode.Unknown);

        Assert.Equal("local", (await target.Deliveries.ReadAsync().InTime()).Event.Source);
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("broken", asked.Status.Detail, StringComparison.Ordinal);
    }

    private static SessionCommand Acknowledge(Delivery delivery, Acknowledgement acknowledgement)
    {
        acknowledgement.Subscription = delivery.Subscription;
        acknowledgement.Number = delivery.Number;
        return new SessionCommand { Acknowledge = acknowledgement };
    }
}
