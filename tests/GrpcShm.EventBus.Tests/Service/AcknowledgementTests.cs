using Grpc.Core;
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
        await target.SendAsync(
            Acknowledge(delivery, new Acknowledgement { Reply = new Event { Name = "ANSWER" } })).InTime();

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
        var client = Client;
        var time = TimeSpan.FromMilliseconds(200);
        Delivery? delivery;
        do
        {
            // On a busy machine a deadline may pass before the question has come to the target.
            await FailsAsync(
                client.AskAsync(
                    new AskRequest { Event = NewEvent("m", "QUESTION") }, deadline: DateTime.UtcNow + time),
                StatusCode.DeadlineExceeded);
            time *= 2;
            Assert.InRange(time, TimeSpan.Zero, TimeLimit.Value);
        }
        while (!target.Deliveries.TryRead(out delivery));

        await target.SendAsync(
            Acknowledge(delivery, new Acknowledgement { Reply = new Event { Name = "LATE" } })).InTime();
        await target.SendAsync(Send("m", "NEXT")).InTime();
        do
        {
            delivery = await target.Deliveries.ReadAsync().InTime();
        }
        while (delivery.Event.Name == "QUESTION");

        Assert.Equal("NEXT", delivery.Event.Name);
        Assert.Empty(target.Failures);
    }

    public static TheoryData<Event> BadReplies { get; } =
    [
        new Event { Name = new string('x', 64 * 1024) },
        new Event { Name = "E\e[2J" },
        new Event { Name = "E", Id = new string('x', 1000) },
        new Event { Name = "E", Id = "\n" },
        new Event { Name = "E", Target = new string('x', 1000) },
        new Event { Name = "E", Target = "\u202E" },
        new Event { Name = "E", Source = "nobody" + new string('x', 1000) },
    ];

    [Theory]
    [MemberData(nameof(BadReplies))]
    public async Task Ask_AnsweredByABadReply_IsInvalidForWhoeverAsked(Event reply)
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m", "QUESTION") });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        await target.SendAsync(Acknowledge(delivery, new Acknowledgement { Reply = reply })).InTime();

        await FailsAsync(call, StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Ask_ReplyThatSaysWhatTheHubAloneDoes_ComesWithoutIt()
    {
        await using var target = await OpenMachineAsync("m");
        var call = Client.AskAsync(new AskRequest { Event = NewEvent("m", "QUESTION") });

        var delivery = await target.Deliveries.ReadAsync().InTime();
        var reply = new Event
        {
            Name =
                "ANSWER", Group = "g", Sender = 7, MachineChange = new MachineChange { Kind = MachineChangeKind.Lost },
        };
        await target.SendAsync(Acknowledge(delivery, new Acknowledgement { Reply = reply })).InTime();

        var answer = (await call.ResponseAsync.InTime()).Reply;
        Assert.Equal(("ANSWER", ""), (answer.Name, answer.Group));
        Assert.Null(answer.MachineChange);
        Assert.NotEqual(7ul, answer.Sender);
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
            delivery, new Acknowledgement { StatusCode = (int)StatusCode.FailedPrecondition, Message = "not now" }))
            .InTime();

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
        var call = Client.SendAsync(
            new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
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
        var sending = Client.SendAsync(
            new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        var delivery = Assert.Single(call.ResponseStream.Current.Deliveries);

        await Client.AcknowledgeAsync(new AcknowledgeRequest
        {
            SubscriptionId = id,
            Acknowledgements = { new Acknowledgement { Number = delivery.Number, NewState = "s2" } },
        }).ResponseAsync.InTime();

        Assert.Equal("s2", (await sending.ResponseAsync.InTime()).NewState);
    }

    [Theory]
    [InlineData(1u, false)]
    [InlineData(0u, true)]
    public async Task Subscribe_ByACallOfItsOwnWithACredit_GetsAllAllTheSame(uint credit, bool startsWithout)
    {
        using var call = Client.Subscribe(new SubscribeRequest
        {
            Subscription = new Subscription { Inbox = "m", Credit = credit, StartsWithoutCredit = startsWithout },
        });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        for (var i = 0; i < 3; i++)
        {
            await Client.SendAsync(new SendRequest { Event = NewEvent("m") }).ResponseAsync.InTime();
        }

        for (var received = 0; received < 3;)
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
            received += call.ResponseStream.Current.Deliveries.Count;
        }
    }

    [Fact]
    public async Task Subscribe_InASessionWithoutCredit_GetsNothingBeforeItGrantsSome()
    {
        await using var session = await OpenMachineAsync("other");
        await SubscribeAsync(
            session, new Subscription { Number = 2, Inbox = "m", Credit = 5, StartsWithoutCredit = true });
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, (await session.ExecuteAsync(Send("m", $"{i}")).InTime()).StatusCode);
        }

        // What comes for another subscription is written after what was ready before.
        await session.ExecuteAsync(Send("other", "OTHER")).InTime();
        Assert.Equal("OTHER", (await session.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.False(session.Deliveries.TryRead(out _));
        await session.SendAsync(
            new SessionCommand { Grant = new Credit { Subscription = 2, Deliveries = 2 } }).InTime();
        Assert.Equal("0", (await session.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.Equal("1", (await session.Deliveries.ReadAsync().InTime()).Event.Name);
        await session.ExecuteAsync(Send("other", "OTHER")).InTime();
        Assert.Equal("OTHER", (await session.Deliveries.ReadAsync().InTime()).Event.Name);
    }

    private static SessionCommand Acknowledge(Delivery delivery, Acknowledgement acknowledgement)
    {
        acknowledgement.Subscription = delivery.Subscription;
        acknowledgement.Number = delivery.Number;
        return new SessionCommand { Acknowledge = acknowledgement };
    }
}
