using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>How a session's commands are carried out, by themselves.</summary>
public sealed class SessionCommandsTests : SessionPartTest
{
    private readonly SessionCommands _commands;

    public SessionCommandsTests()
    {
        var origin = new SessionOrigin(Owner);
        var life = new SessionLife(Hub, Owner);
        var waits = new SessionWaits(Hub, Outbox);
        var subscriptions = new SessionSubscriptions(Hub, Owner, origin, Outbox, life, waits);
        var sends = new SessionSends(Hub, Owner, origin, waits, static _ => { });
        var lanes = new SessionLanes(Hub, Owner, origin, Outbox, new OutgoingNotices(), sends, life);
        var completed = new CompletedCommands(static _ => { });
        var late = new LateSubscriptions(Hub, completed, Outbox, static _ => { });
        _commands = new SessionCommands(Hub, Owner, origin, life, subscriptions, late, waits, sends, lanes);
    }

    [Fact]
    public void Execute_AnEmptyCommand_IsUnimplemented() =>
        Assert.Equal(StatusCode.Unimplemented, Execute(new SessionCommand()).Code);

    [Fact]
    public void Execute_OpenAfterAnotherCommand_IsInvalid()
    {
        var open = new SessionCommand { Open = new OpenSession { InstanceId = "process" } };
        Assert.True(Execute(open).IsOk);

        Assert.Equal(StatusCode.InvalidArgument, Execute(open).Code);
    }

    [Fact]
    public void Execute_EachCommand_HasAnOutcomeOnlyWhereSuccessIsAnswered()
    {
        (SessionCommand Command, bool HasOutcome)[] commands =
        [
            (new SessionCommand { Register = new Registration { MachineId = "m" } }, true),
            (new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "m" } }, true),
            (new SessionCommand { Send = new Event { Name = "E", Target = "m" } }, false),
            (new SessionCommand { Publish = new Publication { Event = new Event { Name = "E" }, All = new() } }, true),
            (new SessionCommand { Acknowledge = new Acknowledgement { Subscription = 1, Number = 1 } }, false),
            (new SessionCommand { Grant = new Credit { Subscription = 1, Deliveries = 1 } }, false),
            (new SessionCommand { BeginWait = new HandlerWait { Number = 1, MachineId = "m" } }, true),
            (new SessionCommand { EndWait = 1 }, true),
            (new SessionCommand { Unsubscribe = 1 }, true),
            (new SessionCommand { Unregister = "m" }, true),
        ];

        foreach (var (command, hasOutcome) in commands)
        {
            var verdict = _commands.Execute(Parsed(command), Context, out var outcome);

            Assert.True(verdict.IsOk, $"{command.CommandCase}: {verdict.Message}");
            Assert.Equal(hasOutcome, outcome is not null);
        }

        Assert.Equal(0, Hub.Machines.Count);
        Assert.Equal(0, Hub.Metrics.Subscriptions);
    }

    private Verdict Execute(SessionCommand command) => _commands.Execute(Parsed(command), Context, out _);
}
