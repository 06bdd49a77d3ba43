using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>What a session leaves behind, whatever it is at when it ends.</summary>
public sealed class SessionEndTests : HubTest
{
    private HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    [Fact]
    public async Task End_WhileASendWaitsForItsAcknowledgement_TheWaitEndsThoughTheCallIsNotCancelled()
    {
        await using var machine = await OpenMachineAsync("m");
        using var session = new FakeSession(Hub);
        var running = session.RunAsync();
        session.Send(new SessionCommand
        {
            Send = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed, TimeoutMilliseconds = 3_600_000,
        });
        await machine.Deliveries.ReadAsync().InTime();
        Assert.Equal(1, Hub.Budget.Acknowledgements.Used);

        session.Complete();
        await running.InTime();

        await TimeLimit.UntilAsync(() => Hub.Budget.Acknowledgements.Used == 0);
    }

    [Fact]
    public async Task End_WithOutcomesThatTheClientHasNotRead_CountsUntilTheyAreGone()
    {
        var reads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isWriting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var session = new FakeSession(Hub)
        {
            OnWrite = _ =>
            {
                isWriting.TrySetResult();
                return reads.Task;
            },
        };
        var running = session.RunAsync();
        session.Send(Send("nobody"));
        await isWriting.Task.InTime();

        session.Complete();
        await TimeLimit.UntilAsync(() => session.Session.Life.HasEnded && Hub.Metrics.Sessions == 0);

        Assert.Equal(1, Hub.Budget.Sessions.Users);
        reads.SetResult();
        await running.InTime();
        Assert.Equal(0, Hub.Budget.Sessions.Users);
    }

    [Fact]
    public async Task Cancel_WhileTheSessionIsBusyWithACommandAndHasNothingToWrite_EndsIt()
    {
        using var session = new FakeSession(Hub) { IsDeaf = true };
        var running = session.RunAsync();
        session.Send(new SessionCommand { Register = new Registration { MachineId = "m" } });
        await TimeLimit.UntilAsync(() => Hub.Machines.Count == 1);

        session.Cancel();

        await Assert.ThrowsAsync<RpcException>(() => running.InTime());
        Assert.Equal(0, Hub.Machines.Count);
        session.Complete();
    }

    [Fact]
    public async Task End_WhileAnotherThreadEndsItsManyMachines_NoneIsLeftWhenItReturns()
    {
        const int count = 5000;
        using var session = new FakeSession(Hub);
        var running = session.RunAsync();
        session.Send([
            .. Enumerable.Range(0, count)
                .Select(static i => new SessionCommand { Register = new Registration { MachineId = $"m{i}" } }),
        ]);
        await TimeLimit.UntilAsync(() => Hub.Machines.Count == count);
        var verdict = new Verdict(StatusCode.Aborted, "ended", "");

        var ending = Task.Run(() => session.Session.Life.End(verdict));
        while (!session.Session.Life.HasEnded)
        {
            Thread.SpinWait(1);
        }

        // As a session does that replaces it, and registers the same machines next.
        session.Session.Life.End(verdict);

        Assert.Equal(0, Hub.Machines.Count);
        await ending.InTime();
        session.Complete();
        await Assert.ThrowsAsync<RpcException>(() => running.InTime());
        Assert.Equal(0, Hub.Budget.Machines.Used);
    }

    [Fact]
    public async Task Subscribe_WakesAWatcherThatHoldsTheThread_TheSessionEndsAllTheSame()
    {
        using var goOn = new ManualResetEventSlim();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FakeSession(Hub)
        {
            // On the thread of whoever registers, as a transport may write.
            OnWrite = response =>
            {
                if (response.Deliveries.Any(
                    static delivery => delivery.Event.MachineChange.Kind == MachineChangeKind.Registered))
                {
                    isHeld.TrySetResult();
                    Assert.True(goOn.Wait(TimeSpan.FromMinutes(1)));
                }

                return Task.CompletedTask;
            },
        };
        var watching = watcher.RunAsync();
        watcher.Send(new SessionCommand { Subscribe = new Subscription { Number = 1, MachineChanges = "*" } });
        while ((await watcher.Responses.ReadAsync().InTime()).Deliveries.Count == 0)
        {
        }

        using var session = new FakeSession(Hub);
        var running = session.RunAsync();
        session.Send(new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "m" } });
        await isHeld.Task.InTime();
        session.Cancel();

        await Assert.ThrowsAsync<RpcException>(() => running.InTime());
        Assert.Equal(0, Hub.Machines.Count);
        goOn.Set();
        await TimeLimit.UntilAsync(() => Hub.Metrics.Subscriptions == 1);
        watcher.Complete();
        await watching.InTime();
        Assert.Equal(0, Hub.Metrics.Subscriptions);
    }

    [Fact]
    public async Task Open_OfASessionThatHasEnded_IsNotKnownAndReplacesNone()
    {
        await using var living = OpenSession();
        await living.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = "process-1" } }).InTime();
        using var late = new FakeSession(Hub);
        var owner = new MachineOwner(
            PeerIdentity.Of(new DefaultHttpContext()), new SessionBudget(Hub.Budget), "process-1", "", isLease: false);
        late.Session.Life.End(Verdict.Ok);

        Assert.False(Hub.AddSession(late.Session.Life, owner));

        Assert.Equal(1, Hub.KnownSessions);
        Assert.False(living.Ended.IsCompleted);
    }

    [Fact]
    public async Task Open_WhileTheSessionEnds_LeavesNothingBehind()
    {
        for (var i = 0; i < 2000; i++)
        {
            using var session = new FakeSession(Hub);
            var running = session.RunAsync();
            session.Send(
                new SessionCommand { Open = new OpenSession { InstanceId = $"process-{i}" } },
                new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = $"m{i}" } });
            if (i % 2 == 0)
            {
                session.Session.Life.End(new Verdict(StatusCode.Aborted, "ended", ""));
            }
            else
            {
                session.Cancel();
            }

            session.Complete();
            await Record.ExceptionAsync(() => running.InTime());
        }

        await TimeLimit.UntilAsync(
            () => Hub.KnownSessions == 0 && Hub.Machines.Count == 0 && Hub.Metrics.Subscriptions == 0);
        Assert.Equal(0, Hub.Budget.Sessions.Users);
        Assert.Equal(0, Hub.Budget.Machines.Used);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unsubscribe_TheInboxOfAMachineWhoseHandlerWaits_EndsItsWaitsAlone(bool unregister)
    {
        await using var session = await OpenMachineAsync("m");
        await SubscribeAsync(session, new Subscription { Number = 2, Inbox = "other" });
        ulong number = 0;
        foreach (var machine in new[] { "m", "m", "other" })
        {
            var wait = new HandlerWait { Number = ++number, MachineId = machine, AwaitedMachineId = "far" };
            Assert.Equal(0, (await session.ExecuteAsync(new SessionCommand { BeginWait = wait }).InTime()).StatusCode);
        }

        Assert.Equal(3, Hub.Waits.Count);
        var outcome = await session.ExecuteAsync(
            unregister ? new SessionCommand { Unregister = "m" } : new SessionCommand { Unsubscribe = 1 }).InTime();

        Assert.Equal(0, outcome.StatusCode);
        Assert.Equal(1, Hub.Waits.Count);
    }
}
