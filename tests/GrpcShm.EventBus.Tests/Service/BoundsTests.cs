using Grpc.Core;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// Each bound of what a session may have: the one too many is refused by the bound's name, and an end gives all back.
/// </summary>
public sealed class BoundsTests : HubTest
{
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(3);
    private static readonly Google.Protobuf.ByteString Large = Google.Protobuf.ByteString.CopyFrom(new byte[100_000]);

    protected override void Configure(EventBusOptions options)
    {
        options.MaxGroupsPerMachine = 3;
        options.MaxMachinesPerSession = 4;
        options.MaxMachines = 6;
        options.MaxRegistrationSizePerSession = 5000;
        options.MaxObserversPerSession = 100;
        options.MaxObservers = 150;
        options.MaxPatternsPerSession = 10;
        options.MaxPatterns = 15;
        options.MaxPendingAcknowledgementsPerSession = 5;
        options.MaxSessions = 5;
        options.MaxLeases = 5;
        options.MaxPatternWeight = 8;
        options.MaxWaitingSizePerSession = 250_000;
        options.UnclaimedTimeout = Expiry;
        options.MaxCopyBlockTime = TimeSpan.FromMilliseconds(50);
    }

    [Fact]
    public async Task Register_IntoTooManyGroups_IsRefusedByTheBoundsName()
    {
        await using var session = OpenSession();
        var registration = new Registration { MachineId = "m", Groups = { "1", "2", "3", "4" } };

        await RefusedAsync(session, new SessionCommand { Register = registration }, "MaxGroupsPerMachine");
        var failed = await FailsAsync(
            Client.RegisterMachinesAsync(
                new RegisterMachinesRequest { InstanceId = "i", Registrations = { registration } }),
            StatusCode.ResourceExhausted);

        Assert.Contains("MaxGroupsPerMachine", failed.Status.Detail, StringComparison.Ordinal);
        registration.Groups.RemoveAt(0);
        await AcceptedAsync(session, new SessionCommand { Register = registration });
    }

    [Fact]
    public async Task Register_TooManyMachines_IsRefusedForTheSessionAndForTheHub()
    {
        await using var other = OpenSession();
        await using (var session = OpenSession())
        {
            await RegisterAsync(session, "a", 4);
            await RefusedAsync(session, Register("a5"), "MaxMachinesPerSession");
            await RegisterAsync(other, "b", 2);
            await RefusedAsync(other, Register("b3"), "MaxMachines)");
            await AcceptedAsync(session, new SessionCommand { Unregister = "a1" });
            await AcceptedAsync(session, Register("a5"));
        }

        await RegisterAsync(other, "c", 2);
    }

    [Fact]
    public async Task RegisterMachines_MoreThanThereIsRoomFor_RegistersNone()
    {
        var request = new RegisterMachinesRequest { InstanceId = "i" };
        request.Registrations.AddRange(Enumerable.Range(0, 3).Select(i => new Registration { MachineId = $"m{i}" }));
        await using var session = OpenSession();
        await RegisterAsync(session, "a", 4);

        await FailsAsync(Client.RegisterMachinesAsync(request), StatusCode.ResourceExhausted);

        Assert.Equal(
            4, (await Client.ListMachinesAsync(new ListMachinesRequest()).ResponseAsync.InTime()).Machines.Count);
        request.Registrations.RemoveAt(0);
        await Client.RegisterMachinesAsync(request).ResponseAsync.InTime();
    }

    [Fact]
    public async Task RegisterMachines_None_TakesNothingThatMustExpire()
    {
        for (var i = 0; i < 10; i++)
        {
            await Client.RegisterMachinesAsync(new RegisterMachinesRequest { InstanceId = "i" }).ResponseAsync.InTime();
        }
    }

    [Fact]
    public async Task RegisterMachines_AgainAndAgain_IsRefusedUntilTheEarlierOnesExpire()
    {
        // None of them registers anything new; each has a timer all the same.
        var request =
            new RegisterMachinesRequest { InstanceId = "i", Registrations = { new Registration { MachineId = "m" } } };
        RpcException? refused = null;
        await TimeLimit.UntilAsync(async () =>
        {
            var calls = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => TryRegisterAsync(request)));
            refused = Array.Find(calls, static call => call is not null);
            return refused is not null;
        });

        Assert.Equal(StatusCode.ResourceExhausted, refused!.StatusCode);
        Assert.Contains("MaxLeases", refused.Status.Detail, StringComparison.Ordinal);
        await TimeLimit.UntilAsync(async () => await TryRegisterAsync(request) is null);
    }

    [Fact]
    public async Task Register_LongNamesOfMachinesAndGroups_IsRefusedByTheirBytes()
    {
        await using var session = OpenSession();
        var name = new string('x', 250);
        await AcceptedAsync(
            session,
            new SessionCommand
            {
                Register = new Registration { MachineId = "1" + name, Groups = { "1" + name, "2" + name, "3" + name } },
            });
        await RefusedAsync(
            session,
            new SessionCommand
            {
                Register = new Registration { MachineId = "2" + name, Groups = { "1" + name, "2" + name, "3" + name } },
            },
            "MaxRegistrationSizePerSession");

        // The first one changes its groups to fewer.
        await AcceptedAsync(
            session, new SessionCommand { Register = new Registration { MachineId = "1" + name, Groups = { "g" } } });
        await AcceptedAsync(
            session,
            new SessionCommand
            {
                Register = new Registration { MachineId = "2" + name, Groups = { "1" + name, "2" + name } },
            });
    }

    [Fact]
    public async Task Subscribe_TooManyThatAreNoInboxes_IsRefusedAndEachEndGivesOneBack()
    {
        await using var other = OpenSession();
        await using (var session = OpenSession())
        {
            await ObserveAsync(session, 100, i => new Subscription { Machine = $"m{i}" });
            await RefusedAsync(session, Subscribe(101, new Subscription { Machine = "m" }), "MaxObserversPerSession");
            await ObserveAsync(other, 50, i => new Subscription { StateChanges = $"m{i}" });
            await RefusedAsync(other, Subscribe(101, new Subscription { Group = "g" }), "MaxObservers)");
            await AcceptedAsync(session, new SessionCommand { Unsubscribe = 1 });
            await AcceptedAsync(session, Subscribe(1, new Subscription { Group = "g" }));
        }

        await AcceptedAsync(other, Subscribe(101, new Subscription { Group = "g" }));
    }

    [Fact]
    public async Task Subscribe_TooManyToOneName_IsRefused()
    {
        await using var session = OpenSession();
        await using var other = OpenSession();

        await ObserveAsync(session, 64, _ => new Subscription { Machine = "m" });
        await RefusedAsync(
            session,
            Subscribe(65, new Subscription { Pattern = new EventPattern { Target = "m", Name = "*" } }),
            "'m'");

        await AcceptedAsync(session, Subscribe(65, new Subscription { Machine = "another" }));
        await AcceptedAsync(other, Subscribe(1, new Subscription { Machine = "m" }));
    }

    [Fact]
    public async Task Subscribe_TooManyPatterns_IsRefusedByTheirWeightAndTheExactOnesAreFree()
    {
        await using var other = OpenSession();
        await using (var session = OpenSession())
        {
            await AcceptedAsync(session, Subscribe(1, new Subscription { StateChanges = "*-1" }));
            await AcceptedAsync(session, Subscribe(2, new Subscription { All = new AllEvents() }));
            await AcceptedAsync(session, Subscribe(3, new Subscription { Pattern = new EventPattern { Name = "N*" } }));
            await RefusedAsync(
                session, Subscribe(4, new Subscription { All = new AllEvents() }), "MaxPatternsPerSession");
            await RefusedAsync(
                session, Subscribe(4, new Subscription { MachineChanges = "*" }), "MaxPatternsPerSession");
            await AcceptedAsync(
                session, Subscribe(4, new Subscription { Pattern = new EventPattern { Name = "N", Source = "*?*" } }));
            await ObserveAsync(other, 5, i => new Subscription { MachineChanges = $"{i}*" });
            await RefusedAsync(other, Subscribe(6, new Subscription { All = new AllEvents() }), "MaxPatterns)");
        }

        await ObserveAsync(other, 5, _ => new Subscription { All = new AllEvents() }, first: 6);
    }

    [Fact]
    public async Task Send_TooManyThatWaitForAnAcknowledgement_AreRefusedEachAloneAndTheAnsweredGiveRoom()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var session = OpenSession();
        var waiting = Enumerable.Range(0, 5).Select(_ => session.ExecuteAsync(Processed("m"))).ToArray();
        var deliveries = new List<Delivery>();
        for (var i = 0; i < 5; i++)
        {
            deliveries.Add(await machine.Deliveries.ReadAsync().InTime());
        }

        await RefusedAsync(session, Processed("m"), "MaxPendingAcknowledgementsPerSession");
        Assert.Equal((int)StatusCode.NotFound, (await session.ExecuteAsync(Send("nobody")).InTime()).StatusCode);
        await machine.SendAsync([.. deliveries.Select(delivery => new SessionCommand
        {
            Acknowledge = new Acknowledgement { Subscription = 1, Number = delivery.Number },
        })]).InTime();
        Assert.All(await Task.WhenAll(waiting).InTime(), outcome => Assert.Equal(0, outcome.StatusCode));

        // A send that is refused, too, gives its place back.
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(
                (int)StatusCode.NotFound, (await session.ExecuteAsync(Processed("nobody")).InTime()).StatusCode);
        }
    }

    [Fact]
    public async Task Session_OneTooMany_IsRefusedAndAnEndGivesRoom()
    {
        var sessions = Enumerable.Range(0, 5).Select(_ => OpenSession()).ToArray();
        foreach (var session in sessions)
        {
            await session.Opened.InTime();
        }

        await using var refused = OpenSession();
        var failed = Assert.IsType<RpcException>(await refused.Ended.InTime());
        await sessions[0].DisposeAsync().InTime();
        await using var next = OpenSession();
        await next.Opened.InTime();

        Assert.Equal(StatusCode.ResourceExhausted, failed.StatusCode);
        Assert.Contains("MaxSessions", failed.Status.Detail, StringComparison.Ordinal);
        for (var i = 1; i < sessions.Length; i++)
        {
            await sessions[i].DisposeAsync().InTime();
        }
    }

    [Fact]
    public async Task Send_MoreBytesThanASessionMayHaveWaiting_IsRefusedAndOthersGoOn()
    {
        await using var owner = OpenSession();
        await RegisterAsync(owner, "m", 2);
        await using var other = await OpenMachineAsync("other");
        for (var i = 0; i < 2; i++)
        {
            await AcceptedAsync(other, SendLarge("m1"));
        }

        Assert.Equal(
            (int)StatusCode.ResourceExhausted, (await other.ExecuteAsync(SendLarge("m1")).InTime()).StatusCode);
        Assert.Equal(
            (int)StatusCode.ResourceExhausted, (await other.ExecuteAsync(SendLarge("m2")).InTime()).StatusCode);
        await AcceptedAsync(other, SendLarge("other"));

        // What is taken over and read gives room.
        await SubscribeAsync(owner, new Subscription { Number = 1, Inbox = "m1" });
        await owner.Deliveries.ReadAsync().InTime();
        await owner.Deliveries.ReadAsync().InTime();
        await AcceptedAsync(other, SendLarge("m2"));
    }

    [Theory]
    [InlineData("*a?b*")]
    [InlineData("*?")]
    public async Task PublishAndList_ByAPatternThatIsTooHeavy_AreRefusedByTheBoundsName(string pattern)
    {
        await using var session = await OpenMachineAsync("xab");
        var publication = new Publication { Event = new Event { Name = "E" }, MachinePattern = pattern };

        await RefusedAsync(session, new SessionCommand { Publish = publication }, "MaxPatternWeight");
        var published = await FailsAsync(
            Client.PublishAsync(new PublishRequest { Publication = publication }), StatusCode.ResourceExhausted);
        var listed = await FailsAsync(
            Client.ListMachinesAsync(new ListMachinesRequest { MachinePattern = pattern }),
            StatusCode.ResourceExhausted);

        Assert.Contains("MaxPatternWeight", published.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("MaxPatternWeight", listed.Status.Detail, StringComparison.Ordinal);
        Assert.False(session.Deliveries.TryRead(out _));
    }

    [Fact]
    public async Task Subscribe_ObserverThatBlocks_IsRefusedWithTheReason()
    {
        await using var session = OpenSession();
        var blocking = new Subscription
        {
            All = new AllEvents(), Mailbox = new MailboxSettings { OverflowPolicy = OverflowPolicy.Block },
        };

        var outcome = await session.ExecuteAsync(Subscribe(1, blocking)).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, outcome.StatusCode);
        Assert.Contains("AllowBlockingObservers", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_ToAMachineThatTakesNothing_IsHeldUpOnceAndNotEachTime()
    {
        await using var stuck = OpenSession();
        var mailbox = new MailboxSettings { Capacity = 1 };
        await SubscribeAsync(stuck, new Subscription { Number = 1, Inbox = "stuck", Credit = 1, Mailbox = mailbox });
        await using var session = OpenSession();
        var publish = new SessionCommand
        {
            Publish = new Publication { Event = new Event { Name = "E" }, All = new AllMachines() },
        };
        await session.ExecuteAsync(publish.Clone()).InTime();
        Assert.Equal("E", (await stuck.Deliveries.ReadAsync().InTime()).Event.Name);

        // With a wait for each they would take more than three minutes.
        Server.Services.GetRequiredService<HubCore>().Options.MaxCopyBlockTime = TimeSpan.FromSeconds(5);
        var reached = await PublishAsync(40).InTime();

        Assert.Equal(1u, reached[0]);
        Assert.All(reached.Skip(1), recipients => Assert.Equal(0u, recipients));
        await stuck.SendAsync(
            new SessionCommand { Grant = new Credit { Subscription = 1, Deliveries = 1000 } }).InTime();
        Assert.Equal("E", (await stuck.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.Equal(1u, (await session.ExecuteAsync(publish.Clone()).InTime()).Recipients);

        async Task<List<uint>> PublishAsync(int count)
        {
            var reached = new List<uint>();
            for (var i = 0; i < count; i++)
            {
                reached.Add((await session.ExecuteAsync(publish.Clone())).Recipients);
            }

            return reached;
        }
    }

    private async Task<RpcException?> TryRegisterAsync(RegisterMachinesRequest request)
    {
        try
        {
            await Client.RegisterMachinesAsync(request).ResponseAsync.InTime();
            return null;
        }
        catch (RpcException exception)
        {
            return exception;
        }
    }

    private static SessionCommand Register(string machineId) =>
        new() { Register = new Registration { MachineId = machineId } };

    private static SessionCommand Subscribe(uint number, Subscription subscription)
    {
        subscription.Number = number;
        return new SessionCommand { Subscribe = subscription };
    }

    private static SessionCommand Processed(string target) =>
        new() { Send = NewEvent(target), Acknowledgement = AcknowledgementLevel.Processed };

    private static SessionCommand SendLarge(string target) =>
        new() { Send = new Event { Name = "L", Target = target, Payload = Large } };

    private static async Task RegisterAsync(SessionClient session, string prefix, int count)
    {
        for (var i = 1; i <= count; i++)
        {
            await AcceptedAsync(session, Register($"{prefix}{i}"));
        }
    }

    private static async Task ObserveAsync(
        SessionClient session, int count, Func<int, Subscription> subscription, int first = 1)
    {
        for (var i = 0; i < count; i++)
        {
            await AcceptedAsync(session, Subscribe((uint)(first + i), subscription(i)));
        }
    }

    private static async Task AcceptedAsync(SessionClient session, SessionCommand command)
    {
        var outcome = await session.ExecuteAsync(command).InTime();
        Assert.Equal("", outcome.Message);
        Assert.Equal(0, outcome.StatusCode);
    }

    private static async Task RefusedAsync(SessionClient session, SessionCommand command, string bound)
    {
        var outcome = await session.ExecuteAsync(command).InTime();
        Assert.Equal((int)StatusCode.ResourceExhausted, outcome.StatusCode);
        Assert.Contains(bound, outcome.Message, StringComparison.Ordinal);
    }
}
