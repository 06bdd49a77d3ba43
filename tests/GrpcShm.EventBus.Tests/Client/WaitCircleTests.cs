using Grpc.Core;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Handlers that wait for each other's machines.</summary>
public sealed class WaitCircleTests : ClientTest
{
    // Longer than any test waits: what fails by it has not been found.
    private static readonly EventSendOptions Processed = new()
    {
        Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromMinutes(5),
    };

    public static TheoryData<int[], bool> Layouts()
    {
        var layouts = new TheoryData<int[], bool>();
        foreach (var deliverLocally in new[] { true, false })
        {
            // Which client each machine of the circle is a machine of.
            foreach (var clients in new int[][]
            {
                [0], [0, 0], [0, 1], [0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0], [0, 1, 2], [0, 0, 1, 1], [0, 1, 0, 1],
            })
            {
                layouts.Add(clients, deliverLocally);
            }
        }

        return layouts;
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task SendEvent_HandlersWaitInACircle_OneFailsAtOnceByTheNamesAndTheOthersGoOn(
        int[] layout, bool deliverLocally)
    {
        var circle = await CircleAsync(layout, deliverLocally);
        var sender = await ConnectClientAsync();

        // Each is in its handler before one of them goes on: no event of the circle leads to another.
        var begun = Enumerable.Range(0, layout.Length)
            .Select(i => sender.SendEventAsync("s", $"m{i}", "BEGIN", null, Processed)).ToArray();

        await Task.WhenAll(begun).InTime();
        var failure = Assert.Single(
            await Task.WhenAll(circle.Select(failed => failed.Task)).InTime(), failed => failed is not null)!;
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        for (var i = 0; i < layout.Length; i++)
        {
            Assert.Contains($"'m{i}'", failure.Message, StringComparison.Ordinal);
        }

        await NobodyWaitsAsync();
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task SendEvent_OneEventLeadsToTheNextInACircle_TheLastFailsAtOnce(int[] layout, bool deliverLocally)
    {
        EventBusException? failure = null;
        var clients = await ConnectAsync(layout, deliverLocally);
        for (var i = 0; i < layout.Length; i++)
        {
            var (client, source, target) = (clients[layout[i]], $"m{i}", $"m{(i + 1) % layout.Length}");
            await client.RegisterMachineAsync(source, async _ =>
            {
                try
                {
                    await client.SendEventAsync(source, target, "NEXT", null, Processed);
                }
                catch (EventBusException exception) when (source == $"m{layout.Length - 1}")
                {
                    failure = exception;
                }
            }).InTime();
        }

        await clients[0].SendEventAsync("s", "m0", "FIRST", null, Processed).InTime();

        Assert.Equal(StatusCode.FailedPrecondition, failure!.StatusCode);
        await NobodyWaitsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_BackAndForthWithoutACircle_IsNeverRefused(bool sameClient)
    {
        const int rounds = 500;
        var first = await ConnectClientAsync();
        var second = sameClient ? first : await ConnectClientAsync();
        var done = new TaskCompletionSource();

        // Each waits for the other in turns: while one has just been answered, the other begins.
        await first.RegisterMachineAsync("a", received => PlayAsync(first, received, "b")).InTime();
        await second.RegisterMachineAsync("b", received => PlayAsync(second, received, "a")).InTime();
        await first.RegisterMachineAsync("sink-b", _ => Task.CompletedTask).InTime();
        await second.RegisterMachineAsync("sink-a", _ => Task.CompletedTask).InTime();

        await first.SendEventAsync("s", "a", "PLAY", 0).InTime();

        await done.Task.InTime();
        await NobodyWaitsAsync();

        async Task PlayAsync(EventClient client, BusEvent received, string other)
        {
            if (received.EventName == "SYNC")
            {
                return;
            }

            var round = received.GetPayload<int>();
            try
            {
                // Handled by the other one when it has returned from the event before, which it may be sending at this
                // moment.
                await client.SendEventAsync(received.TargetMachineId, $"sink-{other}", "SYNC", null, Processed);
                await client.SendEventAsync(received.TargetMachineId, other, "SYNC", null, Processed);
                if (round == rounds)
                {
                    done.TrySetResult();
                }
                else
                {
                    await client.SendEventAsync(received.TargetMachineId, other, "PLAY", round + 1);
                }
            }
            catch (Exception exception)
            {
                done.TrySetException(exception);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_OutsideOfHandlersOrAfterTheyGaveUp_WaitsForNobody(bool sameClient)
    {
        var first = await ConnectClientAsync();
        var second = sameClient ? first : await ConnectClientAsync();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gaveUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await first.RegisterMachineAsync("a", async received =>
        {
            if (received.EventName != "GIVE UP")
            {
                return;
            }

            using var giveUp = new CancellationTokenSource();
            var waiting = first.SendEventAsync("a", "b", "HOLD", null, Processed, giveUp.Token);
            await giveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

            // Behind the word that the handler does not wait any more.
            await first.SendEventAsync("a", "sink", "SYNC", null, Processed);
            gaveUp.SetResult();
            await held.Task;
        }).InTime();
        Task<EventSendResult>? late = null;
        await second.RegisterMachineAsync("sink", _ => Task.CompletedTask).InTime();
        await second.RegisterMachineAsync("b", async received =>
        {
            if (received.EventName == "HOLD")
            {
                await gaveUp.Task;
                late = second.SendEventAsync("b", "a", "LATE", null, Processed);
                held.SetResult();
                await late;
            }
        }).InTime();

        // Its source is a machine, but no handler of that machine waits by it.
        var outside = second.SendEventAsync("b", "a", "GIVE UP", null, Processed);

        await outside.InTime();
        await first.SendEventAsync("s", "b", "DONE", null, Processed).InTime();
        await late!.InTime();
        await NobodyWaitsAsync();
    }

    [Fact]
    public async Task SendEvent_HandlerReturnsWithoutAwaiting_WaitsForNobodyAnyMore()
    {
        var first = await ConnectClientAsync();
        var second = await ConnectClientAsync();
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? left = null;
        await first.RegisterMachineAsync("a", received =>
        {
            left = received.EventName == "BEGIN" ? first.SendEventAsync("a", "b", "HOLD", null, Processed) : left;
            return Task.CompletedTask;
        }).InTime();
        await second.RegisterMachineAsync("b", async _ =>
        {
            await returned.Task;
            await second.SendEventAsync("b", "a", "BACK", null, Processed);
        }).InTime();
        await first.SendEventAsync("s", "a", "BEGIN", null, Processed).InTime();

        // Behind the word that the handler does not wait any more.
        await first.SendEventAsync("s", "b", "AFTER").InTime();
        returned.SetResult();

        await left!.InTime();
        await NobodyWaitsAsync();
    }

    [Fact]
    public async Task Session_SaysThatAMachineOfAnotherOneWaits_HarmsNobody()
    {
        var victim = await ConnectClientAsync();
        await victim.RegisterMachineAsync("victim", received => received.EventName == "ASK"
            ? victim.SendEventAsync("victim", "liar", "E", null, Processed)
            : Task.CompletedTask).InTime();
        var liar = await OpenMachineAsync("liar");
        var waiting = new HandlerWait { Number = 1, MachineId = "liar2", AwaitedMachineId = "victim" };
        foreach (var wait in new[]
        {
            waiting,
            new HandlerWait { Number = 0, MachineId = "liar", AwaitedMachineId = "victim" },
            new HandlerWait { Number = 2, MachineId = "victim", AwaitedMachineId = "victim" },
            new HandlerWait { Number = 3, MachineId = "liar" },
            new HandlerWait { Number = 4, MachineId = "liar", AwaitedMachineId = new string('x', 1000) },
        })
        {
            Assert.Equal(0, (await liar.ExecuteAsync(new SessionCommand { BeginWait = wait }).InTime()).StatusCode);
        }

        Assert.Equal(0, Waits.Count);
        Assert.Equal(0, (await liar.ExecuteAsync(new SessionCommand { EndWait = 77 }).InTime()).StatusCode);

        // Noted, and gone with its session.
        Assert.Equal(0, (await liar.ExecuteAsync(new SessionCommand
        {
            BeginWait = new HandlerWait { Number = 5, MachineId = "liar", AwaitedMachineId = "other" },
        }).InTime()).StatusCode);
        Assert.Equal(1, Waits.Count);
        await liar.DisposeAsync();
        await NobodyWaitsAsync();
    }

    private HubWaits Waits => Server.Services.GetRequiredService<HubCore>().Waits;

    private async Task NobodyWaitsAsync()
    {
        await TimeLimit.UntilAsync(() => Waits.Count == 0);
    }

    private async Task<EventClient[]> ConnectAsync(int[] layout, bool deliverLocally)
    {
        var clients = new EventClient[layout.Max() + 1];
        for (var i = 0; i < clients.Length; i++)
        {
            clients[i] = await ConnectClientAsync(options => options.DeliverLocally = deliverLocally);
        }

        return clients;
    }

    // Machines each of which waits for the next one, once all of them are in their handlers.
    private async Task<TaskCompletionSource<EventBusException?>[]> CircleAsync(int[] layout, bool deliverLocally)
    {
        var clients = await ConnectAsync(layout, deliverLocally);
        var failures = layout.Select(_ => new TaskCompletionSource<EventBusException?>()).ToArray();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var inside = 0;
        for (var i = 0; i < layout.Length; i++)
        {
            var (client, source, target, failure) =
                (clients[layout[i]], $"m{i}", $"m{(i + 1) % layout.Length}", failures[i]);
            await client.RegisterMachineAsync(source, async received =>
            {
                if (received.EventName != "BEGIN")
                {
                    return;
                }

                if (Interlocked.Increment(ref inside) == layout.Length)
                {
                    all.SetResult();
                }

                await all.Task;
                try
                {
                    await client.SendEventAsync(source, target, "NEXT", null, Processed);
                    failure.SetResult(null);
                }
                catch (EventBusException exception)
                {
                    failure.SetResult(exception);
                }
            }).InTime();
        }

        return failures;
    }
}
